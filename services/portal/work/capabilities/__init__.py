"""What the visitor's centre can do, and until when: state it, renew it before it expires."""
