"""Reads a Grafana dashboard, refuses one that Grafana would show wrong, and prints its queries as a file of
Prometheus rules, for promtool to check."""

import json
import sys

GRID = 24
# Grafana puts these in: promtool needs something of their kind.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$__interval": "1m", "$node": ".*"}


def main(path):
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    wrong, ids, taken, queries = [], set(), {}, []
    for panel in dashboard["panels"]:
        name = f"{panel['id']} {panel['title']!r}"
        if panel["id"] in ids:
            wrong.append(f"{name}: the id stands twice")
        ids.add(panel["id"])
        place = panel["gridPos"]
        if place["x"] + place["w"] > GRID:
            wrong.append(f"{name}: wider than the grid")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    wrong.append(f"{name}: lies over {taken[x, y]}")
                taken[x, y] = name
        if panel["type"] == "row":
            continue
        for field in ("unit" in panel["fieldConfig"]["defaults"], panel.get("description"), panel["targets"]):
            if not field:
                wrong.append(f"{name}: has no unit, no description or no query")
        for target in panel["targets"]:
            query = target["expr"]
            for variable, value in VARIABLES.items():
                query = query.replace(variable, value)
            if "$" in query:
                wrong.append(f"{name}: {query} has a variable that the dashboard lacks")
            queries.append({"record": f"panel:{len(queries)}", "expr": query})
    if wrong:
        sys.exit("\n".join(wrong))
    json.dump({"groups": [{"name": "dashboard", "rules": queries}]}, sys.stdout)


main(sys.argv[1])
