import os
from probe import FACTS, attempt, contained, harm, read, write

if read(FACTS["data"] + "/numbers.txt") != b"1 2 3":
    harm("the data that was named cannot be read")
attempt("changed the data", write, FACTS["data"] + "/numbers.txt")
attempt("added to the data", write, FACTS["data"] + "/more.txt")
attempt("chmod the data", os.chmod, FACTS["data"] + "/numbers.txt", 0o777)
attempt("removed the data", os.unlink, FACTS["data"] + "/numbers.txt")
attempt("linked the data", os.link, FACTS["data"] + "/numbers.txt", "/work/linked")
contained()
