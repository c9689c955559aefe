# expect: deadline
# deadline: 200ms
import logging
while True:
    logging.error("x" * 10_000)
