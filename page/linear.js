// linear.js - a picture through the best linear code of its blocks, the KLT: what its leading vectors keep of each block.

// klt: as Library.klt has it; kept: numbers of a block; picture: [3][side][side].
export function throughBlocks({ mean, basis }, block, kept, picture, side) {
  const n = mean.length, out = new Float32Array(picture.length);
  for (let corner = 0; corner < side * side; corner += corner % side === side - block ? side * (block - 1) + block : block) {
    const at = (i) => Math.floor(i / block ** 2) * side ** 2 + corner + Math.floor(i / block) % block * side + i % block;
    for (let i = 0; i < n; i++) out[at(i)] = mean[i];
    for (let k = 0; k < Math.min(kept, n); k++) {
      const vector = basis.subarray(k * n, (k + 1) * n);
      const number = vector.reduce((sum, v, i) => sum + v * (picture[at(i)] - mean[i]), 0);
      vector.forEach((v, i) => { out[at(i)] += number * v; });
    }
  }
  return out;
}
