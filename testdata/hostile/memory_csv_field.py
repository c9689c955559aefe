# expect: _csv.Error
import csv
list(csv.reader(['"' + "x" * 10_000_000]))
