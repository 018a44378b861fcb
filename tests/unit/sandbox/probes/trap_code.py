import os, pickle
from probe import FACTS, contained, write

for name in ("json.py", "numpy.py", "sitecustomize.py", "conftest.py", "__init__.py"):
    write(name, f"open({FACTS['outside']!r} + '/fired', 'w').write('x')".encode())


class Bomb:
    def __reduce__(self):
        return (os.system, (f"touch {FACTS['outside']}/fired",))


write("values.npy", b"\x93NUMPY" + pickle.dumps(Bomb()))
write("model.pkl", pickle.dumps(Bomb()))
contained("left code")
