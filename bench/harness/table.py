"""Rows of repeated runs -> medians with their range -> a table that people and Markdown read."""

import statistics


def by_client(rows, key):
    """{client: [values]} in the order of the first appearance; runs without the value are left out."""
    values = {}
    for row in rows:
        values.setdefault(row["client"], [])
        if row.get(key) is not None:
            values[row["client"]].append(row[key])
    return values


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values):
    if not values:
        return "-"
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{number(middle)} [{number(low)}..{number(high)}]" if len(values) > 1 else number(middle)


def ratio(values, reference):
    if not values or not reference:
        return "-"
    return f"{statistics.median(values) / statistics.median(reference):.2f}x"


def markdown(header, lines):
    cells = [header, *lines]
    widths = [max(len(str(line[i])) for line in cells) for i in range(len(header))]
    text = ["| " + " | ".join(str(c).ljust(w) for c, w in zip(line, widths)) + " |" for line in cells]
    text.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(text)


def comparison(rows, columns, reference):
    """One line for each client: every (key, title) as a median with its range, and beside it the ratio to `reference`."""
    values = {key: by_client(rows, key) for key, _ in columns}
    header = ["client"]
    for _, title in columns:
        header += [title, f"/ {reference}"]
    lines = []
    for client in by_client(rows, "client"):
        line = [client]
        for key, _ in columns:
            line += [spread(values[key][client]), ratio(values[key][client], values[key].get(reference))]
        lines.append(line)
    return markdown(header, lines)
