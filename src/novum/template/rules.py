"""The clauses that join the parts of a template: the declaration, the script and the files must agree."""

from __future__ import annotations

import re

from novum.template.clauses import Findings
from novum.template.record import Template
from novum.template.sources import ScriptFacts

_TOML = "template.toml"
_CONFIG = re.compile(r"\\config\{([^}]*)\}")
_REQUIREMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?\s*([<>=!~]=?.*)?$")


def check_rules(template: Template, facts: ScriptFacts, findings: Findings) -> None:
    """Put a finding for each clause into `findings`."""
    _script(template, facts, findings)
    _companions(template, findings)
    if template.declared:
        _metrics(template, findings)
        _parameters(template, facts, findings)
        _files(template, findings)
        _paper(template, findings)
        _requirements(template, findings)


def _line(template: Template, needle: str) -> int | None:
    lines = template.texts.get(_TOML, "").splitlines()
    return next((n for n, line in enumerate(lines, start=1) if needle in line), None)


def _script(template: Template, facts: ScriptFacts, findings: Findings) -> None:
    if template.script not in template.texts:
        return
    findings.judge(
        "out_dir" in facts.options,
        "the script takes --out_dir",
        template.script,
        'add parser.add_argument("--out_dir", default="run_0") and write final_info.json there',
    )
    if template.seeds_argument:
        name = template.seeds_argument.lstrip("-")
        findings.judge(
            name in facts.options,
            "the script takes the seeds",
            template.script,
            f'add parser.add_argument("{template.seeds_argument}", type=int, nargs="+")',
        )
    elif template.declared:
        findings.note(
            "no seeds_argument: the script seeds itself, so runs cannot be repeated with other seeds"
        )


def _companions(template: Template, findings: Findings) -> None:
    if not template.texts.get(template.plot, "").strip():
        findings.note(
            f"{template.plot or 'plot.py'} is missing or empty: only the built-in figures are drawn"
        )
    if not template.latex:
        findings.note("no latex/template.tex: the paper uses novum's own style")
    if not template.evaluate:
        findings.note("no evaluator: metrics are reported by the run itself and are marked so")


def _metrics(template: Template, findings: Findings) -> None:
    names = [m.name for m in template.metrics]
    findings.judge(
        bool(names),
        "metrics are declared, with unit and direction",
        _TOML,
        "add a [[metrics]] table with name, unit and direction for each",
    )
    findings.judge(
        len(set(names)) == len(names), "metrics have different names", _TOML, "rename the repeated one"
    )
    findings.judge(
        not names or template.primary_metric in names,
        "the primary metric is declared",
        _TOML,
        f"declare {template.primary_metric!r}, or name one of {', '.join(names)}",
        _line(template, "primary_metric"),
    )


def _parameters(template: Template, facts: ScriptFacts, findings: Findings) -> None:
    for parameter in template.parameters:
        option = facts.options.get(parameter.name)
        line = _line(template, f'name = "{parameter.name}"')
        if option is None or parameter.option not in option.flags:
            findings.broken(
                "a parameter is an argument of the script",
                _TOML,
                f'add parser.add_argument("{parameter.option}") to {template.script}, or set the parameter\'s flag',
                line,
            )
        elif option.default is not None and option.default != parameter.default:
            findings.broken(
                "a parameter's default is the script's",
                template.script,
                f"--{parameter.name} defaults to {option.default!r} here and to {parameter.default!r} in {_TOML}; "
                "make them equal",
                option.line,
            )
        else:
            findings.kept(f"parameter {parameter.name}", _TOML)
    for name, profile in template.profiles.items():
        unknown = [a for a in profile.arguments if a not in facts.options]
        findings.judge(
            not unknown,
            "a profile's arguments are arguments of the script",
            _TOML,
            f"profile {name} sets {', '.join(unknown)}, which {template.script} does not take",
        )
        if profile.seeds < 3:
            findings.note(f"profile {name} has {profile.seeds} seed(s): fewer than three tell little")


def _files(template: Template, findings: Findings) -> None:
    present = template.texts.keys() | template.binaries.keys()
    for role, names in (("editable", template.editable), ("protected", template.protected)):
        for name in names:
            inside = not name.startswith("/") and ".." not in name.split("/")
            findings.judge(
                inside and name in present,
                f"every {role} file exists inside the template",
                _TOML,
                f"add {name}, or take it from {role}",
                _line(template, role),
            )
    for name in template.held_out:
        findings.judge(
            bool(template.evaluate)
            and any(template.is_held_out(file) for file in present if file.startswith(name.rstrip("/"))),
            "held-out data exists, and there is an evaluator to use it",
            _TOML,
            f"add {name} and name an evaluator, or take it from held_out",
            _line(template, "held_out"),
        )
    both = set(template.editable) & set(template.protected)
    findings.judge(
        not both, "no file is both editable and protected", _TOML, f"decide about {', '.join(both)}"
    )
    if template.evaluate:
        findings.judge(
            template.evaluate in template.protected and template.evaluate in present,
            "the evaluator exists and is protected",
            _TOML,
            f"add {template.evaluate} to files.protected",
            _line(template, "evaluate"),
        )
    for function in template.functions:
        findings.judge(
            function.file in template.editable,
            "an editable function is in an editable file",
            _TOML,
            f"add {function.file} to files.editable",
            _line(template, f'"{function.name}"'),
        )


def _paper(template: Template, findings: Findings) -> None:
    paper = template.paper
    known = template.config("quick").keys() & template.config("full").keys()
    used = _CONFIG.findall("\n".join((*paper.method, *paper.setup, *paper.limitations, *paper.background)))
    unknown = sorted({name for name in used if name not in known})
    findings.judge(
        not unknown,
        "every \\config{...} in the paper's facts is a parameter, a profile argument or a fact",
        _TOML,
        f"declare {', '.join(unknown)}",
        _line(template, f"config{{{unknown[0]}}}") if unknown else None,
    )
    ids = {p.id for p in template.references}
    missing = sorted({p for hint in paper.citations for p in hint.papers} - ids)
    findings.judge(
        not missing,
        "every preferred work is in references.json",
        _TOML,
        f"add {', '.join(missing)}",
        _line(template, missing[0]) if missing else None,
    )


def _requirements(template: Template, findings: Findings) -> None:
    bad = [r for r in template.requirements if not _REQUIREMENT.match(r.strip())]
    findings.judge(
        not bad,
        "requirements are names with versions",
        _TOML,
        f"write {', '.join(map(repr, bad))} as name>=version",
        _line(template, "requirements"),
    )
