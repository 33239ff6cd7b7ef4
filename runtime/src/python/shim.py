"""Calls a user's plain function: loads what it takes, writes what it gives.

Run as `python shim.py REQUEST`, where REQUEST is a JSON file. It needs the standard library alone; pandas, polars,
pyarrow and joblib are used where the function or the data ask for them. It knows nothing of pipelines, runs or caches.
"""

import datetime
import importlib.util
import inspect
import json
import pickle
import shutil
import sys
import time
import traceback
import typing
from pathlib import Path


# Python 3.9 does not know the names of its own modules; those that are always loaded are enough to be careful there.
STANDARD_MODULES = getattr(sys, "stdlib_module_names", sys.builtin_module_names)


class Mistake(Exception):
    """Something the user can mend: a sentence that follows the step's name, and what to do."""

    def __init__(self, summary, help_text):
        super().__init__(summary)
        self.help_text = help_text


def main():
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        function = load_function(request)
        if request["mode"] == "predict":
            predict(function, request)
        else:
            call_step(function, request)
    except Mistake as mistake:
        report(request, str(mistake), [], mistake.help_text)
    except MemoryError as error:
        report(request, "ran out of memory.", user_traceback(error), "Give it less data at once, or more memory.")
    except Exception as error:
        lines = user_traceback(error)
        print("\n".join(lines), file=sys.stderr)
        report(request, f"raised {last_line(error)}", lines, None)
    else:
        return
    sys.exit(1)


def report(request, summary, details, help_text):
    """Leaves what went wrong for the process that waits."""
    failure = {"summary": summary, "details": details, "help": help_text}
    Path(request["failure"]).write_text(json.dumps(failure), encoding="utf-8")
    if not details:
        print(summary, file=sys.stderr)


def user_traceback(error):
    """The traceback without the frames of this file and of the import machinery."""
    told = traceback.TracebackException.from_exception(error)
    seen = told
    while seen is not None:
        kept = [frame for frame in seen.stack if frame.filename != __file__ and not frame.filename.startswith("<frozen ")]
        seen.stack = traceback.StackSummary.from_list(kept)
        seen = seen.__cause__ or seen.__context__
    return "".join(told.format()).rstrip().splitlines()


def last_line(error):
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    return text.splitlines()[-1] if text else type(error).__name__


# --- the function -----------------------------------------------------------------------------------------------


def load_function(request):
    path = Path(request["project"]) / request["file"]
    sys.path[0] = str(path.parent)
    if str(path.parent) != request["project"]:
        sys.path.insert(1, request["project"])
    if not path.is_file():
        raise Mistake(f"cannot be run: there is no file `{request['file']}`.", "Write it, or mend `run` in the step.")
    name = path.stem if path.stem.isidentifier() and path.stem not in STANDARD_MODULES else "_mlp_step"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        print("\n".join(user_traceback(error)), file=sys.stderr)
        raise Mistake(
            f"cannot be run: `{request['file']}` imports `{error.name}`, which its environment has not.",
            f"Add the package of `{error.name}` to `packages`.",
        ) from None
    function = getattr(module, request["function"], None)
    if not callable(function):
        raise Mistake(
            f"cannot be run: `{request['file']}` has no function `{request['function']}`.",
            "Write it, or mend `run` in the step.",
        )
    return function


def annotations(function):
    try:
        return typing.get_type_hints(function)
    except Exception:
        return dict(getattr(function, "__annotations__", {}))


# --- steps ------------------------------------------------------------------------------------------------------


def call_step(function, request):
    wanted = annotations(function)
    parameters = inspect.signature(function).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    outputs = {output["name"]: output for output in request["outputs"]}
    arguments, written = {}, set()
    for given in request["inputs"]:
        if takes_any or given["name"] in parameters:
            arguments[given["name"]] = load(given, given["type"], wanted.get(given["name"]))
    for name in parameters:
        if name in outputs and name not in arguments:
            written.add(name)
            arguments[name] = own_path(outputs[name])
    result = function(**arguments)
    remaining = [output for output in request["outputs"] if output["name"] not in written]
    for output, value in zip(remaining, share_out(result, remaining)):
        write(output, value)
    for name in written:
        finish_own(outputs[name])


def own_path(output):
    """Where a function writes an output itself."""
    path = Path(output["path"])
    if output["type"]["kind"] == "model":
        path.mkdir()
        return path / "model"
    return path


def finish_own(output):
    if output["type"]["kind"] == "model":
        folder = Path(output["path"])
        if (folder / "model").exists():
            describe_model(folder, "path", "model")
        else:
            folder.rmdir()


def share_out(result, outputs):
    """What the function returned, one value for each output."""
    names = [output["name"] for output in outputs]
    if not names:
        return []
    if len(names) == 1 and not (hasattr(result, "_fields") and list(result._fields) == names):
        return [result]
    if hasattr(result, "_asdict"):
        result = result._asdict()
    if isinstance(result, dict):
        missing = [name for name in names if name not in result]
        if missing:
            raise Mistake(
                f"returned a dict without {listed(missing)}.", f"It has to give {listed(names)}, as the step declares."
            )
        return [result[name] for name in names]
    if isinstance(result, (tuple, list)) and len(result) == len(names):
        return list(result)
    what = f"{len(result)} values" if isinstance(result, (tuple, list)) else f"a `{type(result).__name__}`"
    raise Mistake(
        f"returned {what} for its {len(names)} outputs.",
        f"Return a tuple in the order {listed(names)}, or a dict with these keys.",
    )


def listed(names):
    return ", ".join(f"`{name}`" for name in names)


# --- inputs -----------------------------------------------------------------------------------------------------


def load(given, kind, annotation):
    if "items" in given:
        inner = (typing.get_args(annotation) or (None,))[0]
        of = kind.get("of", kind)
        return [load(item, of, inner) for item in given["items"]]
    if "value" in given:
        return as_python(given["value"], kind, annotation)
    path = given["path"]
    if annotation is Path:
        return model_file(path) if kind["kind"] == "model" else Path(path)
    if annotation is str:
        return str(model_file(path)) if kind["kind"] == "model" else path
    if kind["kind"] == "dataset":
        return load_table(path, annotation)
    if kind["kind"] == "model":
        return load_model(path)
    if kind["kind"] == "metrics":
        return json.loads(Path(path).read_text(encoding="utf-8"))
    return Path(path)


def load_table(path, annotation):
    library = (getattr(annotation, "__module__", "") or "").split(".")[0]
    name = getattr(annotation, "__name__", "")
    if library == "polars":
        import polars

        return polars.scan_parquet(path) if name == "LazyFrame" else polars.read_parquet(path)
    if library == "pyarrow":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path)
    if library == "pandas" or importlib.util.find_spec("pandas"):
        import pandas

        return pandas.read_parquet(path)
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path)


def as_python(value, kind, annotation):
    """A plain JSON value as the Python value of its type."""
    if value is None:
        return None
    name = kind["kind"]
    if name == "date":
        return datetime.date.fromisoformat(value)
    if name == "datetime":
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    if name == "duration":
        return datetime.timedelta(milliseconds=value)
    if name == "list":
        return [as_python(item, kind["of"], None) for item in value]
    if name == "map":
        return {key: as_python(item, kind["of"], None) for key, item in value.items()}
    if name == "record":
        return {key: as_python(item, kind["fields"].get(key, {"kind": "string"}), None) for key, item in value.items()}
    if name == "string" and annotation is Path:
        return Path(value)
    if name == "enum" and isinstance(annotation, type) and hasattr(annotation, "__members__"):
        return annotation(value)
    return value


def model_description(folder):
    return json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))


def model_file(folder):
    file = model_description(folder).get("file", ".")
    return Path(folder) / file


def load_model(folder):
    description = model_description(folder)
    if description["format"] == "joblib":
        import joblib

        return joblib.load(Path(folder) / description["file"])
    if description["format"] == "pickle":
        with open(Path(folder) / description["file"], "rb") as file:
            return pickle.load(file)
    if description["format"] == "path":
        return model_file(folder)
    raise Mistake(
        f"cannot load a model of the format `{description['format']}`.",
        "A baseline made by `prior` predicts without Python; train a model to use it in a step.",
    )


# --- outputs ----------------------------------------------------------------------------------------------------


def write(output, value):
    kind, path, name = output["type"]["kind"], Path(output["path"]), output["name"]
    if kind == "dataset":
        write_table(value, output["type"]["columns"], path, name)
    elif kind == "model":
        write_model(value, path)
    elif kind in ("file", "html", "markdown", "directory", "artifact", "metrics", "deployment"):
        write_file(value, kind, path, name)
    else:
        text = json.dumps(as_json(value, output["type"], name), allow_nan=False)
        path.write_text(text, encoding="utf-8")


def write_model(value, folder):
    if value is None:
        raise Mistake("returned `None` where it has to give a model.", "Return the trained model.")
    folder.mkdir()
    if isinstance(value, Path):
        target = folder / "model"
        shutil.copytree(value, target) if value.is_dir() else shutil.copyfile(value, target)
        describe_model(folder, "path", "model")
        return
    try:
        import joblib
    except ModuleNotFoundError:
        with open(folder / "model.pickle", "wb") as file:
            pickle.dump(value, file, protocol=5)
        describe_model(folder, "pickle", "model.pickle")
    else:
        joblib.dump(value, folder / "model.joblib")
        describe_model(folder, "joblib", "model.joblib")


def describe_model(folder, model_format, file):
    description = {"format": model_format, "file": file}
    (folder / "model.json").write_text(json.dumps(description), encoding="utf-8")


def write_file(value, kind, path, name):
    if isinstance(value, Path):
        if not value.exists():
            raise Mistake(f"returned the path `{value}` as `{name}`, and nothing is there.", "Write the file first.")
        shutil.copytree(value, path) if value.is_dir() else shutil.copyfile(value, path)
    elif isinstance(value, str) and kind != "directory":
        path.write_text(value, encoding="utf-8")
    elif isinstance(value, (bytes, bytearray)) and kind != "directory":
        path.write_bytes(value)
    elif kind == "metrics" and isinstance(value, dict):
        path.write_text(json.dumps(as_json(value, {"kind": "any"}, name), allow_nan=False), encoding="utf-8")
    else:
        raise Mistake(
            f"returned a `{type(value).__name__}` as `{name}`, which is declared as a {kind}.",
            "Return its content as text or bytes, or a `pathlib.Path` to it.",
        )


def as_json(value, kind, name):
    """A Python value as plain JSON; numbers of numpy and pandas become Python's own."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 and not isinstance(value, (str, bytes)):
        value = value.item()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise Mistake(f"returned {value} as `{name}`, which is no number.", "Return a finite number, or `None` for none.")
    if hasattr(value, "value") and hasattr(type(value), "__members__"):
        value = value.value
    if isinstance(value, float) and value.is_integer() and kind["kind"] in ("int", "size"):
        return int(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.timezone.utc)
        return value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(milliseconds=1)
    if isinstance(value, dict):
        fields = kind.get("fields", {})
        of = kind.get("of", {"kind": "any"})
        return {str(key): as_json(item, fields.get(key, of), name) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [as_json(item, kind.get("of", {"kind": "any"}), name) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


# --- tables -----------------------------------------------------------------------------------------------------


def write_table(value, columns, path, name):
    import pyarrow
    import pyarrow.parquet

    if isinstance(value, (str, Path)):
        value = pyarrow.parquet.read_table(value)
    table = as_table(value, name)
    missing = [column["name"] for column in columns if column["name"] not in table.column_names]
    if missing:
        raise Mistake(
            f"returned a table `{name}` without the column{'s' if len(missing) > 1 else ''} {listed(missing)}.",
            f"It has {listed(table.column_names)}.",
        )
    arrays = [cast(table.column(column["name"]), column, name) for column in columns]
    fields = [pyarrow.field(column["name"], arrow_type(column)) for column in columns]
    pyarrow.parquet.write_table(pyarrow.table(arrays, schema=pyarrow.schema(fields)), path, compression="zstd")


def as_table(value, name):
    import pyarrow

    library = type(value).__module__.split(".")[0]
    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([value])
    if library == "polars":
        value = value.collect() if hasattr(value, "collect") else value
        return value.to_arrow()
    if library == "pandas" and hasattr(value, "columns"):
        columns = {}
        for position, column in enumerate(value.columns):
            try:
                columns[str(column)] = pyarrow.Array.from_pandas(value.iloc[:, position])
            except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
                raise Mistake(
                    f"returned a table `{name}` whose column `{column}` mixes types: {error}", "Give it one type."
                ) from None
        return pyarrow.table(columns)
    if isinstance(value, dict):
        return pyarrow.table(value)
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return pyarrow.Table.from_pylist(value)
    raise Mistake(
        f"returned a `{type(value).__name__}` as `{name}`, which is declared as a dataset.",
        "Return a data frame of pandas or polars, a `pyarrow.Table`, or a path to a Parquet file.",
    )


def arrow_type(column):
    import pyarrow

    kind = column["kind"]
    if kind == "list":
        return pyarrow.list_(arrow_type(column["of"]))
    if kind == "map":
        return pyarrow.map_(pyarrow.string(), arrow_type(column["of"]))
    if kind == "record":
        return pyarrow.struct([pyarrow.field(name, arrow_type(of)) for name, of in column["fields"].items()])
    return {
        "bool": pyarrow.bool_(),
        "int": pyarrow.int64(),
        "size": pyarrow.int64(),
        "float": pyarrow.float64(),
        "string": pyarrow.string(),
        "enum": pyarrow.string(),
        "date": pyarrow.date32(),
        "datetime": pyarrow.timestamp("us", tz="UTC"),
        "duration": pyarrow.duration("ms"),
    }[kind]


def cast(array, column, name):
    """A column at its declared type. Nothing is guessed: a number becomes no text, a text no number."""
    import pyarrow
    from pyarrow import types

    target = arrow_type(column)
    found = array.type.value_type if types.is_dictionary(array.type) else array.type
    number = types.is_integer(found) or types.is_floating(found)
    text = types.is_string(found) or types.is_large_string(found) or getattr(types, "is_string_view", bool)(found)
    wants_text, wants_number = column["kind"] in ("string", "enum"), column["kind"] in ("int", "size", "float")
    fits = found.equals(target) or types.is_null(found) or not (
        (wants_text and not text) or (wants_number and not number) or (column["kind"] == "bool" and not types.is_boolean(found))
    )
    try:
        if not fits:
            raise pyarrow.ArrowInvalid(f"it holds {found}")
        lossy = types.is_temporal(found)
        return array.cast(target, safe=not lossy)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, pyarrow.ArrowTypeError) as error:
        raise Mistake(
            f"returned a table `{name}` whose column `{column['name']}` is not of its declared type "
            f"`{column['kind']}`: {error}.",
            "Give the column that type before returning it, or change the schema.",
        ) from None


# --- predicting -------------------------------------------------------------------------------------------------


def predict(function, request):
    import pyarrow.parquet

    model = load_model(request["model"])
    wanted = annotations(function)
    names = list(inspect.signature(function).parameters)
    by_name = names[:2] != ["model", "data"] and {"model", "data"} <= set(names)
    data_name = "data" if "data" in names else (names[1] if len(names) > 1 else "data")
    data = load_table(request["data"], wanted.get(data_name))
    rows = data.num_rows if hasattr(data, "num_rows") else len(data)

    def call(part):
        return function(model=model, data=part) if by_name else function(model, part)

    fields = request["fields"]
    columns = as_fields(call(data), fields, request["task"], model, rows) if rows else {}
    arrays = [cast(pyarrow.chunked_array([column_array(columns.get(field["name"], []), field)]), field, "predictions") for field in fields]
    schema = pyarrow.schema([pyarrow.field(field["name"], arrow_type(field)) for field in fields])
    pyarrow.parquet.write_table(pyarrow.table(arrays, schema=schema), request["output"])
    latencies = measure(call, data, rows, request["latency_samples"]) if rows else []
    Path(request["result"]).write_text(json.dumps({"latencies": latencies}), encoding="utf-8")


def column_array(values, field):
    import pyarrow

    if field["kind"] == "map":
        return pyarrow.array([list(row.items()) for row in values], type=arrow_type(field))
    if hasattr(values, "to_numpy") and not isinstance(values, (pyarrow.Array, pyarrow.ChunkedArray)):
        return pyarrow.Array.from_pandas(values) if hasattr(values, "index") else values.to_arrow()
    if isinstance(values, pyarrow.ChunkedArray):
        return values.combine_chunks()
    return pyarrow.array(values)


def as_fields(result, fields, task, model, rows):
    """What a predict function returned, as one sequence for each output field."""
    names = [field["name"] for field in fields]
    if hasattr(result, "column_names"):
        result = {name: result.column(name) for name in result.column_names}
    elif hasattr(result, "columns") and not isinstance(result, dict):
        result = {str(name): result[name] for name in result.columns}
    if isinstance(result, dict):
        if task == "multiclass_classification" and len(fields) == 1 and names[0] not in result:
            columns = {label: list(values) for label, values in result.items()}
            result = {names[0]: [dict(zip(columns, row)) for row in zip(*columns.values())]}
        missing = [name for name in names if name not in result]
        if missing:
            raise Mistake(
                f"returned predictions without {listed(missing)}.", f"It has to give {listed(names)}, as the model declares."
            )
        columns = {name: result[name] for name in names}
    elif len(names) == 1:
        columns = {names[0]: single_field(result, fields[0], model)}
    else:
        raise Mistake(
            f"returned a `{type(result).__name__}` for the {len(names)} output fields {listed(names)}.",
            "Return a data frame or a dict with these names.",
        )
    for name, values in columns.items():
        if len(values) != rows:
            raise Mistake(
                f"returned {len(values)} values of `{name}` for {rows} rows.", "Return one for each row, in the rows' order."
            )
    return columns


def single_field(result, field, model):
    shape = getattr(result, "shape", None)
    if field["kind"] == "map":
        if isinstance(result, list) and all(isinstance(row, dict) for row in result):
            return [{str(label): float(share) for label, share in row.items()} for row in result]
        classes = getattr(model, "classes_", None)
        if classes is None or shape is None or len(shape) != 2 or shape[1] != len(classes):
            raise Mistake(
                "returned probabilities without saying of which classes.",
                "Return a data frame with one column for each class, or a list of dicts.",
            )
        labels = [str(label) for label in classes]
        return [dict(zip(labels, (float(share) for share in row))) for row in result]
    if shape is not None and len(shape) == 2:
        if shape[1] == 2:
            return result[:, 1]
        if shape[1] == 1:
            return result[:, 0]
        raise Mistake(
            f"returned {shape[1]} columns for the one output field `{field['name']}`.", "Return one value for each row."
        )
    if shape is None and result and isinstance(result[0], (list, tuple)) and len(result[0]) == 2:
        return [row[1] for row in result]
    return result


def measure(call, data, rows, samples):
    """Milliseconds of single-row predictions, after a warm-up."""
    warm_up = 5 if samples else 0
    latencies = []
    for sample in range(-warm_up, samples):
        index = (sample * max(1, rows // samples)) % rows
        part = data.iloc[index : index + 1] if hasattr(data, "iloc") else data[index : index + 1]
        if hasattr(data, "num_rows"):
            part = data.slice(index, 1)
        begin = time.perf_counter()
        call(part)
        elapsed = (time.perf_counter() - begin) * 1000
        if sample >= 0:
            latencies.append(elapsed)
    return latencies


if __name__ == "__main__":
    main()
