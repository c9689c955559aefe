# expect: RecursionError
import warnings
def show(*a): warnings.warn("again")
warnings.simplefilter("always")
warnings.showwarning = show
warnings.warn("x")
