import os
from probe import attempt, contained, read, write

# The file itself is held; what of the folders that lead to it?
attempt("moved its folder away", os.rename, "nest/deep", "nest/elsewhere")
attempt("moved the folder above it", os.rename, "nest", "elsewhere")
os.makedirs("forged/deep")
write("forged/deep/kept.txt", b"forged")
attempt("put a forged folder there", os.rename, "forged", "nest")
renameat2, exchange = 316, 2
from probe import syscall

attempt("exchanged the folders", syscall, renameat2, -100, b"forged\0", -100, b"nest\0", exchange)
write("nest/deep/result.txt", b"a result beside it")  # which stays possible
assert read("nest/deep/kept.txt") == b"as it was"
contained()
