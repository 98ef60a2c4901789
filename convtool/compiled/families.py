"""The families of processors that compiled functions are written for, as data."""

from convtool.records import Record


class Family(Record):
    """What the code that writes vector instructions knows of a processor.

    Attributes
    ----------
    name : str
        The name of the x86-64 psABI's level; ``native`` for any other processor.
    vector_bytes : int
        Bytes of a vector register.
    avx2, avx512 : bool
        Whether 8-bit pixels are done by AVX2's or by AVX-512BW's own instructions.
    features : tuple of str
        What LLVM may use beyond the level's base, as it spells them.

    References
    ----------
    System V Application Binary Interface, AMD64 supplement, section 3.1.1: the levels.
    """

    name: str
    vector_bytes: int
    avx2: bool = False
    avx512: bool = False
    features: tuple[str, ...] = ()

    @property
    def lane_bytes(self) -> int:
        """Bytes of the vectors that 8-bit pixels are done with, at least 32."""
        return max(self.vector_bytes, 32)

    @property
    def rounds_products(self) -> bool:
        """Whether an instruction multiplies 16-bit integers and keeps the rounded upper half."""
        return self.avx2 or self.avx512


V3_FEATURES = ("avx", "avx2", "bmi", "bmi2", "cx16", "f16c", "fma", "lzcnt", "movbe", "popcnt")
V4_FEATURES = (*V3_FEATURES, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("x86-64-v4", 64, avx512=True, features=V4_FEATURES),
        Family("x86-64-v3", 32, avx2=True, features=V3_FEATURES),
    )
}
"""Those that a library is built for on x86-64, the best first."""


def native(vector_bytes: int) -> Family:
    """Return the family of a processor that has none of its own."""
    return Family("native", vector_bytes)


def of_features(features: set[str]) -> Family:
    """Return the best family for a processor that has these features of LLVM's.

    Examples
    --------
    >>> of_features(set(V3_FEATURES)).name
    'x86-64-v3'
    >>> of_features({"neon"})
    Family(name='native', vector_bytes=16, avx2=False, avx512=False, features=())
    """
    for family in FAMILIES.values():
        if features.issuperset(family.features):
            return family
    return native(32 if "avx" in features else 16)
