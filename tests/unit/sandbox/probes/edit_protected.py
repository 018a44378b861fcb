import os, shutil
from probe import attempt, contained, read, write

attempt("wrote it", write, "protected.txt")
attempt("truncated it", os.truncate, "protected.txt", 0)
attempt("removed it", os.unlink, "protected.txt")
attempt("renamed it", os.rename, "protected.txt", "moved.txt")
write("forged.txt", b"forged")
attempt("replaced it", os.rename, "forged.txt", "protected.txt")
attempt("chmod", os.chmod, "protected.txt", 0o777)
attempt("changed its folder's file", write, "frozen/inner.txt")
attempt("added to its folder", write, "frozen/new.txt")
attempt("moved its folder", os.rename, "frozen", "thawed")
attempt("removed its folder", shutil.rmtree, "frozen")
attempt("moved the work folder", os.rename, "/work", "/work2")
os.unlink("forged.txt")
assert read("protected.txt") == b"as it was" and read("frozen/inner.txt") == b"as it was"
contained()
