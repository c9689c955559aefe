# expect: ok ""
quit()
