# expect: ok ""
import shutil
shutil.rmtree("/", ignore_errors=True)
import fractions
