"""Steps over tables of pyarrow, which every environment that reads tables has."""

import datetime
from pathlib import Path

import helpers
import pyarrow
import pyarrow.compute


def make(rows: int, name: str) -> pyarrow.Table:
    values = [None if row == 3 else float(row) for row in range(rows)]
    return pyarrow.table({"id": list(range(rows)), "name": [f"{name}{row}" for row in range(rows)], "value": values})


def keep(data: pyarrow.Table, range: dict, also: list):
    inside = pyarrow.compute.and_(
        pyarrow.compute.greater_equal(data["value"], range["low"]),
        pyarrow.compute.less_equal(data["value"], range["high"]),
    )
    kept = data.filter(inside)
    return {"data": kept, "kept": kept.num_rows, "names": kept["name"].to_pylist() + also}


def merge(parts: list[pyarrow.Table]) -> pyarrow.Table:
    return pyarrow.concat_tables(parts)


def describe(data: pyarrow.Table, day: datetime.date, wait, maybe, page: Path):
    page.write_text(f"# {helpers.title(day)}\n{data.num_rows} rows\n")
    most = pyarrow.compute.max(data["value"]).as_py()
    return {"words": f"{data['name'].to_pylist()} {maybe}", "most": most}
