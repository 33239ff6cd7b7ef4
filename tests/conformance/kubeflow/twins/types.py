"""Parameters of every type, with and without defaults, and constants of every type."""

from kfp import dsl

IMAGE = "example.com/tools@sha256:5555555555555555555555555555555555555555555555555555555555555555"


@dsl.container_component
def show(text: str, number: int, share: float, flag: bool, output: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["show", text, f"--number={number}", share, flag, output])


@dsl.pipeline(name="types")
def pipeline(
    text: str,
    number: int,
    share: float,
    flag: bool,
    names: list,
    word: str = "it's \"so\"",
    count: int = -3,
    rate: float = 0.25,
    strict: bool = True,
    parts: list = [1, 2],
):
    show(text=text, number=number, share=share, flag=flag)
    show(text=word, number=count, share=rate, flag=strict)
    show(text="on", number=9007199254740991, share=1e-3, flag=False)
