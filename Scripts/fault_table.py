"""What Scripts/faults.py thinks of the verdicts, and its table of them."""
import json, re

NGINX, GOODGATE = "nginx", "goodgate"
RUN = "/run/faults"


def assess(fault, row):
    """right, unknown or wrong, with the verdict in words."""
    if "error" in row: return "wrong", "", "", row["error"]
    cases = sorted(row["cases"], key=lambda case: -case["count"])
    if fault.rule == "P30" and row["front"] == NGINX:
        # Nothing failed, so there is no verdict: the doctor lists what the application answered.
        told = [f"{a['count']} × {a['status']} {a['path']}" for a in row["answers"]]
        state = "right" if told == ["3 × 503 /503"] and not cases else "wrong"
        return state, "listed", "", f"{told} and {len(cases)} incidents"
    if not cases: return "wrong", "", "", "no incident"
    blamed = [c for c in cases if "decoy" in json.dumps([c["verdict"].get(part) for part in ("culprit", "cause", "evidence")])]
    best = next((c for c in cases if c["verdict"].get("rule") == fault.rule), cases[0])
    verdict = best["verdict"]
    rule, confidence, culprit = verdict.get("rule"), verdict.get("confidence") or "", verdict["culprit"]["name"]
    if blamed: return "wrong", rule, confidence, "blames a decoy: " + blamed[0]["verdict"]["cause"]
    strangers = {c["verdict"].get("rule") for c in cases} - {fault.rule, None, *fault.also}
    if strangers: return "wrong", rule, confidence, f"also says {', '.join(sorted(strangers))}"
    if rule is None: return "unknown", "unknown", "", culprit
    if not fault.names(culprit, row["front"]): return "wrong", rule, confidence, f"{culprit}, not {fault.culprit}"
    if row.get("unmended"): return "wrong", rule, confidence, "its fix does not help: " + "; ".join(verdict["fix"]["commands"])
    return "right", rule, confidence, culprit


def table(faults, rows):
    """The lines of the document, and the counts."""
    lines = ["| what was done | own traffic (`why`) | nginx (`doctor`) | culprit named |", "|---|---|---|---|"]
    outcome, problems = {}, []
    for fault in faults:
        cells, culprits = {}, []
        for front in (GOODGATE, NGINX):
            row = next((r for r in rows if r["name"] == fault.name and r["front"] == front), None)
            if row is None:
                cells[front] = "–"
                continue
            state, rule, confidence, culprit = assess(fault, row)
            if state == "right":
                mended = "; its fix was made and works" if fault.mend and front == NGINX else ""
                cells[front] = ", ".join(filter(None, (rule, confidence))) + mended
                culprits.append(culprit)
            else:
                cells[front] = "unknown" if state == "unknown" else f"**{rule}: wrong**"
                problems.append(f"{fault.name} {front}: {state}: {rule} {culprit}")
            worst = outcome.get(fault.rule, "right")
            order = ["right", "unknown", "wrong"]
            outcome[fault.rule] = max(worst, state, key=order.index)
        if not culprits and all(cell == "–" for cell in cells.values()): continue
        note = f" ({fault.note})" if fault.note else ""
        culprit = culprits[0] if culprits else ""
        # As a reader has it: without this run's process ids and folders.
        culprit = re.sub(r"\(pid \d+, ", "(", culprit.split("/")[-1] if culprit.startswith(RUN) else culprit)
        culprit = re.sub(r"-(goodgate|nginx)\.service", ".service", culprit).replace("goodgate.conf", "nginx.conf")
        lines.append(f"| {fault.rule}: {fault.what}{note} | {cells[GOODGATE]} | {cells[NGINX]} | {culprit} |")
    return lines, outcome, problems
