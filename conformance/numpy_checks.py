"""What numpy has to get right in a sandbox.

`make numpy` runs this in one, and compares the value with numpy_expected.json,
which this file wrote on a native numpy of the same version:

    python3 numpy_checks.py > numpy_expected.json

Floats are given as hexadecimal digits where they have to be the same to the
last bit, and rounded where another libm may differ.
"""

import datetime
import io
import json
import pickle
import sys
import warnings

import numpy as np

checks = {}


def check(function):
    checks[function.__name__] = function
    return function


def bits(values):
    return [float(v).hex() for v in np.ravel(values)]


def near(values, digits=12):
    return [float(f"{float(v):.{digits}g}") + 0.0 for v in np.ravel(values)]


def failure(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@check
def arrays():
    a = np.arange(24).reshape(2, 3, 4)
    b = a[:, ::-1, 1::2]
    c = a.copy()
    c[c % 3 == 0] = -1
    view = np.lib.stride_tricks.sliding_window_view(np.arange(6), 3)
    return [
        b.tolist(), b.strides == tuple(s * a.itemsize // 8 for s in (96, -32, 16)), c.sum().item(), a.T.shape, view.tolist(),
        np.einsum("ijk,kl->ijl", a, np.ones((4, 2), int)).ravel().tolist(), np.broadcast_shapes((3, 1), (1, 4)),
        np.array([[1, 2], [3, 4]]).astype("<i2").tobytes().hex(), np.array(5, ">u4").tobytes().hex(),
        np.sort(np.array([3, 1, 2])).tolist(), np.argsort([3, 1, 2], kind="stable").tolist(),
        np.unique([3, 1, 3, 2], return_counts=True)[1].tolist(), np.searchsorted([1, 3, 5], [0, 3, 9]).tolist(),
        failure(np.zeros(3).reshape, 2, 2), failure(np.add, np.zeros(2), np.zeros(3)), failure(lambda: a[5]),
    ]  # fmt: skip


@check
def ufuncs():
    x = np.linspace(-2, 2, 9)
    names = ["sin", "cos", "tan", "arctan", "sinh", "tanh", "exp", "expm1", "exp2", "cbrt", "arcsinh"]
    return [
        {name: near(getattr(np, name)(x), 11) for name in names},
        near(np.log(x[5:])), bits(np.sqrt(x[4:])), bits(np.floor(x)), bits(np.rint(x)), np.signbit(x).tolist(),
        np.add.reduce(np.arange(10)).item(), np.multiply.accumulate(np.arange(1, 6)).tolist(), np.maximum.outer([1, 3], [2, 0]).tolist(),
        np.add.at(z := np.zeros(3), [0, 0, 2], 1), z.tolist(), np.divmod(-7, 3)[1].item(), np.gcd(12, 18).item(),
        np.frompyfunc(lambda a, b: a + b, 2, 1)([1, 2], [3, 4]).tolist(), np.bitwise_count(np.uint8(255)).item(),
    ]  # fmt: skip


@check
def integers():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quotient = np.array([1, 2]) // np.array([0, 2])
        wrapped = np.array([127], np.int8) + np.int8(1)
    return [
        quotient.tolist(), wrapped.tolist(), [str(w.message) for w in caught],
        failure(lambda: np.array([1], np.uint8) + 300), np.iinfo(np.int64).max, (np.uint64(2**63) * np.uint64(3)).item(),
        np.array([2**62, 5], np.int64).sum().item(), np.float64(1e20).astype(np.float32).item(),
    ]  # fmt: skip


@check
def linear_algebra():
    a = np.array([[4.0, 2, 1], [2, 5, 3], [1, 3, 6]])
    m = np.array([[0.0, 1], [-1, 0]])
    u, s, v = np.linalg.svd(np.arange(6.0).reshape(3, 2))
    q, r = np.linalg.qr(a)
    return [
        near(np.linalg.inv(a)), near(np.linalg.det(a)), near(np.linalg.solve(a, [1, 2, 3])), near(np.linalg.eigvalsh(a)),
        sorted(np.round(np.linalg.eigvals(m).imag, 12).tolist()), near(s[0]), bool(np.allclose(q @ r, a)),
        bool(np.allclose((u[:, :2] * s) @ v, np.arange(6.0).reshape(3, 2))), near(np.linalg.cholesky(a)),
        near(np.linalg.lstsq(np.vander([0.0, 1, 2, 3], 2), [-1, 0.2, 0.9, 2.1], rcond=None)[0]),
        near(np.linalg.norm(a, ord=2)), int(np.linalg.matrix_rank(np.ones((3, 3)))), near(np.linalg.matrix_power(a, 3)),
        near(a @ a), near(np.kron(m, m) + 0.0),
    ]  # fmt: skip


@check
def singular_matrices():
    singular = np.array([[1.0, 2], [2, 4]])
    return [
        failure(np.linalg.inv, singular), failure(np.linalg.solve, singular, [1, 2]), failure(np.linalg.inv, np.zeros((3, 3))),
        failure(np.linalg.cholesky, -np.eye(2)), failure(np.linalg.inv, np.ones((2, 3))),
        failure(np.linalg.inv, np.stack([np.eye(2), singular])), near(np.linalg.inv(np.eye(2))), near(np.linalg.pinv(singular)),
        near(np.linalg.det(singular)),
    ]  # fmt: skip


@check
def fourier():
    x = np.cos(np.arange(16.0)) + np.arange(16) / 8
    y = np.fft.fft(x)
    return [
        near(y.real, 9), near(np.abs(y.imag), 9), bool(np.allclose(np.fft.ifft(y), x)), bool(np.allclose(np.fft.irfft(np.fft.rfft(x[:15]), 15), x[:15])),
        near(np.abs(np.fft.fft2(x.reshape(4, 4))), 9), near(np.fft.fftfreq(5, 0.1)), np.fft.fft(x.astype(np.float32)).dtype.name,
    ]  # fmt: skip


@check
def random_numbers():
    rng, legacy = np.random.default_rng(12345), np.random.RandomState(42)
    result = [
        bits(rng.random(4)), rng.integers(0, 1000, 6).tolist(), bits(rng.standard_normal(4)), rng.permutation(8).tolist(),
        bits(rng.exponential(size=3)), near(rng.gamma(2.5, size=3)), rng.poisson(4, 6).tolist(), rng.binomial(20, 0.3, 5).tolist(),
        rng.choice(["a", "b", "c"], 5, p=[0.2, 0.3, 0.5]).tolist(), near(rng.multivariate_normal([0, 0], [[2, 0.5], [0.5, 1]])),
        bits(legacy.rand(3)), bits(legacy.randn(3)), legacy.randint(0, 100, 5).tolist(), near(legacy.beta(2, 3, 3)),
        legacy.permutation(6).tolist(),
    ]  # fmt: skip
    for kind in (np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64):
        result.append([str(n) for n in kind(7).random_raw(3)])
    result.append([g.integers(100).item() for g in rng.spawn(2)])
    return result


@check
def long_doubles():
    # Their format differs between platforms; what all have is more than double.
    one = np.longdouble(1)
    third = one / 3
    return [
        bool(np.finfo(np.longdouble).eps < np.finfo(np.float64).eps), bool(one + np.finfo(np.longdouble).eps > one),
        bool(third != np.longdouble(1 / 3)), bool(abs(third * 3 - 1) < 1e-18), str(np.longdouble("0.1"))[:18],
        near([np.sqrt(np.longdouble(2)), np.sin(one), np.exp(one), np.longdouble("1.5e300") / 3]), int(np.longdouble(2) ** 62),
        bool(np.array([1, 2, 3], np.longdouble).sum() == 6), f"{np.longdouble(2) ** 0.5:.15f}",
    ]  # fmt: skip


@check
def complex_numbers():
    z = np.array([1 + 2j, -3.5j, 2, -1 - 1j])
    parts = lambda w: near(np.column_stack([w.real, w.imag]), 11)  # noqa: E731
    return [
        parts(z * z.conj()), parts(np.sqrt(z)), parts(np.exp(z)), parts(np.log(z)), parts(z**3), near(np.abs(z)), near(np.angle(z)),
        parts(np.roots([1, 0, 1]) + 0), str(z[0]), np.sort(z).astype(str).tolist(), (1 / np.complex64(1 + 1j)).item() == 0.5 - 0.5j,
        parts(np.linalg.solve(np.array([[1, 1j], [-1j, 2]]), np.array([1, 1j]))),
    ]  # fmt: skip


@check
def strings():
    s = np.array(["eins", "Zwölf", "", "日本"])
    v = np.array(["a" * 50, "b", None], dtype=np.dtypes.StringDType(na_object=None))
    return [
        s.dtype.str[1:], np.strings.upper(s).tolist(), np.strings.str_len(s).tolist(), np.strings.add(s, "!").tolist(),
        np.strings.find(s, "w").tolist(), np.sort(s).tolist(), np.strings.replace(s, "i", "ii").tolist(), (s == "").tolist(),
        v[:2].tolist(), v[2] is None, np.strings.multiply(v[1:2], 3).tolist(), s.astype("S", casting="unsafe").tolist()[0].decode()
        if failure(s.astype, "S") is None else failure(s.astype, "S").partition(":")[0], np.array([b"ab", b"c"]).tobytes().hex(),
        np.char.partition("a-b", "-").tolist(), np.array(["1.5", "-2"]).astype(float).tolist(), np.array([1.5, -2]).astype(str).tolist(),
        np.array2string(np.array([[1.5, 2], [3, 1e10]]), precision=3), repr(np.float64(0.1)), repr(np.arange(3, dtype="i2")),
    ]  # fmt: skip


@check
def dates():
    d = np.array(["2024-02-28", "2024-02-29", "NaT"], "datetime64[D]")
    return [
        (d + 1).astype(str).tolist(), (d[1] - d[0]).item() == datetime.timedelta(days=1), np.isnat(d).tolist(),
        str(np.datetime64("2024-12-31T23:59:59.123456789") + np.timedelta64(1, "ns")), d.astype("datetime64[M]").astype(str).tolist(),
        np.busday_count("2024-01-01", "2024-02-01").item(), str(np.busday_offset("2024-03-30", 0, roll="forward")),
        np.arange("2024-01", "2024-04", dtype="datetime64[M]").astype(str).tolist(), str(np.timedelta64(90, "m").astype("timedelta64[h]")),
        failure(np.datetime64, "2024-13-01"), np.datetime64("1969-12-31").astype(int).item(),
    ]  # fmt: skip


@check
def files():
    a = {"x": np.arange(6.0).reshape(2, 3), "names": np.array(["a", "ü"]), "big": np.arange(3, dtype=">i8")}
    single, archive, packed, text = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.StringIO()
    np.save(single, a["x"])
    np.savez(archive, **a)
    np.savez_compressed(packed, **a)
    np.savetxt(text, a["x"], fmt="%.2f", delimiter=",")
    for file in (single, archive, packed, text):
        file.seek(0)
    loaded = np.load(archive)
    a["x"].tofile("numpy_checks.tmp")
    raw = np.fromfile("numpy_checks.tmp").tolist()
    np.save("numpy_checks.npy", a["big"])
    mapped = np.load("numpy_checks.npy").tolist()
    structured = np.array([(1, 2.5, "x")], dtype=[("i", "<i4"), ("f", "<f8"), ("s", "<U3")])
    return [
        single.getvalue()[:10].hex(), np.load(single).tolist(), sorted(loaded), loaded["names"].tolist(), loaded["big"].dtype.str,
        np.load(packed)["x"].tolist(), text.getvalue(), np.loadtxt(text, delimiter=",").tolist(), raw, mapped,
        np.genfromtxt(["1,2", "3,"], delimiter=",", filling_values=-1).tolist(), structured["f"].tolist(), structured.dtype.itemsize,
        pickle.loads(pickle.dumps(structured, 5)).tolist(), failure(np.load, io.BytesIO(b"nonsense")).partition(":")[0],
        np.frombuffer(b"\1\0\2\0", "<u2").tolist(),
    ]  # fmt: skip


@check
def objects():
    # What is called through a pointer has to have that pointer's type.
    import copy

    a = np.arange(2, dtype="<i4")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a.dtype = "<i2"
        a.shape = (2, 2)
    scalar = np.float64(1.5)
    return [
        a.tolist(), failure(delattr, a, "dtype"), copy.copy(scalar).item(), copy.deepcopy(scalar).item(), scalar.__copy__().item(),
        list(a.ctypes.shape), list(a.ctypes.strides), a.ctypes.data == a.__array_interface__["data"][0], a.flags.writeable,
        [f.__name__ for f in (np.add.reduce, np.float64.is_integer)], scalar.is_integer(), scalar.as_integer_ratio(), hash(scalar) == hash(1.5),
        np.array([1, "x", None], object).tolist(), a.__sizeof__() > 0, failure(setattr, a, "shape", (3,)), memoryview(a).shape,
    ]  # fmt: skip


@check
def others():
    p = np.polynomial.Polynomial([1, 2, 3])
    masked = np.ma.masked_greater(np.arange(5), 2)
    return [
        near(p(2)), near(p.deriv().coef), near(np.polyfit([0, 1, 2], [1, 3, 7], 2)), masked.sum().item(), str(masked),
        near(np.convolve([1, 2, 3], [0, 1, 0.5])), np.histogram([1, 2, 1], bins=[0, 1, 2, 3])[0].tolist(), near(np.percentile([1, 2, 3, 4], 40)),
        near(np.interp(2.5, [1, 2, 3], [3, 2, 0])), near(np.gradient([1.0, 2, 4])), np.vectorize(lambda v: v + 1)([1, 2]).tolist(),
        np.packbits([1, 0, 1]).tolist(), near(np.std([1, 2, 3, 4], ddof=1)), near(np.nanmean([1, np.nan, 3])), np.__version__,
    ]  # fmt: skip


result = json.loads(json.dumps({name: function() for name, function in checks.items()}, default=str))
if __name__ == "__main__" and sys.platform != "wasi":
    print("{")
    print(",\n".join(f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in result.items()))
    print("}")
