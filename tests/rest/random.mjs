// SPDX-License-Identifier: Apache-2.0
// random: numbers from a seed, the same everywhere (mulberry32).
export function generator(seed) {
  let state = seed;
  const random = (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
  return {random, pick: (list) => list[random(list.length)]};
}
