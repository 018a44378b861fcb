"""A scripted model of the capable kind: `--model scripted:tests/e2e/professor.py`.

It gets the prompts for frontier models: it plans whole sweeps, edits files by SEARCH/REPLACE and writes LaTeX with
keys. Like real ones it also invents: every section has a typed number, a claim that no run supports and a
citation that does not exist, which novum has to take out.
"""

import json
import re
import runpy
from pathlib import Path

capabilities = {"json_schema": True, "small": False, "context_tokens": 128000}

_scientist = runpy.run_path(str(Path(__file__).with_name("scientist.py")))
sentences, value = _scientist["sentences"], _scientist["value"]

INVENTED_NUMBER = "The improvement is 73.91 percent in every town."
INVENTED_WORK = r"This was shown before by an earlier study \cite{nobody2031invented}."


def reply(request):
    question = "".join(message.text for message in request.messages)
    if request.json_schema is not None:
        return json.dumps(answer(request.step, request.json_schema, question))
    if re.match(r"experiment/.*/(edit|fix)", request.step):
        return edit(question, request.step)
    if request.step.startswith("write/title"):
        return "What a Change of Contacts Does to an Epidemic in a Town"
    if re.search(r"/(reflect|refine)", request.step):
        return "UNCHANGED"
    return section(question, request.step)


def answer(step, schema, question):
    filled = value(schema, step)
    if "parameter_runs" in filled:
        filled["parameter_runs"] = [
            {"rationale": " ".join(sentences(step, 1)), "parameter": "reduction", "value": "0.5"},
            {"rationale": " ".join(sentences(step, 1)), "parameter": "reduction", "value": "0.1"},
        ]
    for run in filled.get("code_runs", []):
        run |= {
            "function": "any",
            "change": "Halve the factor of contacts while many people are ill at once.",
        }
    filled["code_runs"] = filled.get("code_runs", [])[:1] or filled.get("code_runs")
    if filled["code_runs"] is None:
        del filled["code_runs"]
    filled.pop("extra_metrics", None)
    if "overall" in filled and "decision" in filled:
        filled |= {"overall": 7, "decision": "Accept"}
    if filled.get("verdict") == "not":
        filled["verdict"] = "implemented"
    return filled


def edit(question, step):
    """One block that halves what a function returns, by a factor that depends on the step."""
    factor = round(0.4 + 0.05 * (len(step) % 5), 2)
    old = "        return 1.0 - params.reduction\n"
    new = f"        return {factor} * (1.0 - params.reduction) if prevalence > 0.01 else 1.0\n"
    assert old in question
    return f"experiment.py\n```python\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"


def section(question, step):
    results = re.findall(r"^- (run_\S+): .*\(n = ", question, re.MULTILINE)
    compared = re.findall(r"^- (\S+) \| (\S+): ([a-z ]+) \(", question, re.MULTILINE)
    works = listed(question, "Works (KEY: work)")
    paragraphs = []
    for number in range(3):
        said = sentences(f"{step}/{number}", 4)
        if works:
            said[0] = (
                said[0].removesuffix(".") + rf" \cite{{{works[(len(step) + 3 * number) % len(works)]}}}."
            )
        if results and "results" in step:
            key = results[number % len(results)]
            said.append(rf"The value of {key.split('/')[0].replace('_', ' ')} is \resultpm{{{key}}}.")
        if compared and "results" in step:
            a, b, verdict = compared[number % len(compared)]
            said.append(
                rf"Against the baseline it is {verdict}, at \result{{{a}}}. \claim{{{a}}}{{{verdict}}}{{{b}}}"
            )
        paragraphs.append(" ".join([*said, INVENTED_NUMBER, INVENTED_WORK]))
    return "\n\n".join(paragraphs)


def listed(question, title):
    """The keys of the list `title` of the prompt."""
    part = question.split(f"{title}:\n", 1)[-1].split("\n\n", 1)[0]
    return re.findall(r"^- ([^\s:]+): ", part, re.MULTILINE)
