"""The paper: sections, numbers bound to results, claims, citations, LaTeX, disclosure and the audit.

`novum.paper.write.write_paper` is the phase; `novum.paper.audit.audit_study` checks what it left behind.
"""
