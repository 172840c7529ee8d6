"""Attacks the compiler with small components that are costly to compile, and admission with pauses."""

from attack import attack

LOAD, DROP = b"\x41\x00\x28\x02\x00", b"\x1a"
BLOCK, LOOP, IF, END = b"\x02", b"\x03", b"\x04", b"\x0b"
NOTHING = b"\x40"


def leb(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def vector(items: list[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def body(code: bytes, variables: int = 0) -> bytes:
    whole = (b"\x01" + leb(variables) + b"\x7f" if variables else b"\x00") + code + END
    return leb(len(whole)) + whole


def function_type(parameters: int = 0, results: int = 0) -> bytes:
    return b"\x60" + leb(parameters) + b"\x7f" * parameters + leb(results) + b"\x7f" * results


def component(bodies: list[bytes], types: tuple[bytes, ...] = ()) -> bytes:
    """A component of one core module, whose functions have neither parameters nor results."""
    module = b"\0asm\1\0\0\0" + section(1, vector([function_type(), *types])) + section(3, vector([b"\0"] * len(bodies)))
    module += section(5, b"\x01\x00\x01") + section(10, vector(bodies))
    return b"\0asm\x0d\0\1\0" + section(1, module)


def one(code: bytes, variables: int = 0, types: tuple[bytes, ...] = ()) -> bytes:
    return component([body(code, variables)], types)


def changes(variables: int) -> bytes:
    return b"".join(b"\x20" + leb(at) + b"\x41\x01\x6a\x21" + leb(at) for at in range(variables))


def branch(depth: int) -> bytes:
    return LOAD + b"\x0d" + leb(depth)


def nested_loops(depth: int, variables: int) -> bytes:
    return one((LOOP + NOTHING) * depth + changes(variables) + (branch(0) + END) * depth, variables)


def nested_ifs(depth: int, variables: int) -> bytes:
    opened = b"".join(LOAD + IF + NOTHING + LOAD + b"\x21" + leb(at % variables) for at in range(depth))
    return one(opened + END * depth, variables)


def jump_tables(tables: int, targets: int) -> bytes:
    table = BLOCK + NOTHING + LOAD + b"\x0e" + vector([leb(at) for at in range(targets)]) + b"\0" + END
    return one((BLOCK + NOTHING) * targets + table * tables + END * targets)


def passed_values(depth: int, values: int) -> bytes:
    code = LOAD * values + (LOOP + b"\x01") * depth + branch(0) + END * depth + DROP * values
    return one(code, 0, (function_type(values, values),))


COSTLY = {
    "loops around variables": lambda: nested_loops(2_000, 2_000),
    "fewer loops around more variables": lambda: nested_loops(100, 5_000),
    "many loops around few variables": lambda: nested_loops(30_000, 10),
    "loops one after the other": lambda: one((LOOP + NOTHING + changes(1_000) + END) * 600, 1_000),
    "ifs around variables": lambda: nested_ifs(2_000, 500),
    "branches out of a block with variables": lambda: one(BLOCK + NOTHING + changes(1_000) + branch(0) * 4_000 + END, 1_000),
    "jump tables": lambda: jump_tables(1_000, 1_000),
    "loops that pass values": lambda: passed_values(500, 500),
    "nested blocks": lambda: one((BLOCK + NOTHING) * 50_000 + END * 50_000),
    "empty functions": lambda: component([body(b"")] * 900_000),
    "many costly functions": lambda: component([body((LOOP + NOTHING) * 90 + changes(100) + END * 90, 100)] * 1_000),
}


def compiled(tools, made: bytes, code: int):
    """Compiles a component with `cogwit native`, which looks at nothing else."""
    (tools.folder / "it.wasm").write_bytes(made)
    (tools.folder / "policies.toml").write_text(
        'schema = 1\n[set]\nname = "costly"\n[[policy]]\nname = "it"\ncomponent = "it.wasm"\n'
    )
    return tools.run("native", tools.folder, code=code)


@attack("components that are costly to compile are refused before they are compiled", seconds=1, mib=200)
def costly(tools):
    for name, make in COSTLY.items():
        done = compiled(tools, make(), code=4)
        assert "this host compiles at most" in done.stderr, (name, done.stderr)
        # These are not told of the cost: first of all it is not a policy.
        tools.run("inspect", tools.folder / "it.wasm", code=4)
        tools.run("validate", tools.folder, code=4)


@attack("components just below the bounds are compiled in a bounded time", seconds=6, mib=700)
def allowed(tools):
    for make in [
        lambda: nested_loops(100, 500),
        lambda: nested_ifs(300, 100),
        lambda: passed_values(60, 100),
        lambda: jump_tables(100, 100),
        lambda: component([body(b"")] * 5_000),
    ]:
        compiled(tools, make(), code=0)
