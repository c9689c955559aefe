# expect: MemoryError
"{:.2000000000f}".format(1.5)
