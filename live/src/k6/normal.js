
// The quantile of the standard normal distribution: Wichura's algorithm AS 241 (Applied
// Statistics 37, 1988), PPND7: seven digits.
function normal(p) {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)) /
      (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1)
    );
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  let z;
  if (r <= 5) {
    const s = r - 1.6;
    z =
      (((0.17023821103 * s + 1.3067284816) * s + 2.7568153900) * s + 1.4234372777) /
      ((0.12021132975 * s + 0.73700164250) * s + 1);
  } else {
    const s = r - 5;
    z =
      (((0.017337203997 * s + 0.42868294337) * s + 3.0812263860) * s + 6.6579051150) /
      ((0.012258202635 * s + 0.24197894225) * s + 1);
  }
  return q < 0 ? -z : z;
}
