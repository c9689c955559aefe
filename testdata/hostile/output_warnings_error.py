# expect: UserWarning
import warnings
warnings.showwarning = None
warnings.simplefilter("error")
warnings.warn("x")
