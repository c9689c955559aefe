# expect: MemoryError or ok or deadline
# deadline: 500ms
import email
email.message_from_string("Content-Type: multipart/mixed; boundary=a\n\n" + "--a\n\n" * 100_000)
