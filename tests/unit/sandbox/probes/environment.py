import os
from probe import FACTS, contained, harm

found = [
    key for key, value in os.environ.items() if FACTS["canary"] in value or "KEY" in key or "TOKEN" in key
]
harm(f"{found}") if found else contained(f"{sorted(os.environ)}")
