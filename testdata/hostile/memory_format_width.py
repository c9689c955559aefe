# expect: MemoryError
"{:2000000000}".format(1)
