// CPU time and wall time of requests to a running Worker.

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function spent(deployed, requests) {
  const before = deployed.cpu();
  const walls = [];
  for (const ask of requests) {
    const began = performance.now();
    await ask();
    walls.push(performance.now() - began);
  }
  return { cpu: (deployed.cpu() - before) / requests.length, walls };
}

/**
 * Milliseconds a request takes warm: CPU above that of a floor, which is asked in turns with it and given beside; wall
 * time. Medians of `rounds`, of so many requests each, after a warm-up as long as all of them.
 */
export async function warm(deployed, { floor, ask, rounds, each }) {
  let nth = 0;
  const some = (of, count) => Array.from({ length: count }, () => () => of(nth++));
  await spent(deployed, some(ask, rounds * each));
  const [floors, above, walls] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    const least = await spent(deployed, some(floor, each));
    const all = await spent(deployed, some(ask, each));
    floors.push(least.cpu);
    above.push(all.cpu - least.cpu);
    walls.push(...all.walls);
  }
  return { cpu: median(above), floor: median(floors), wall: median(walls) };
}

/** The same of requests that something precedes each time; the floor is one that nothing precedes. */
export async function after(deployed, { before, floor, ask, times }) {
  const [cpus, walls] = [[], []];
  for (let n = 0; n < times; n += 1) {
    await before();
    const { cpu, walls: wall } = await spent(deployed, [ask]);
    cpus.push(cpu);
    walls.push(...wall);
  }
  const least = await spent(deployed, Array.from({ length: times }, () => floor));
  return { cpu: median(cpus) - least.cpu, floor: least.cpu, wall: median(walls) };
}

/** The same of the first request of a process, nothing subtracted: medians of so many restarts. */
export async function cold(deployed, { settings, ask, rounds }) {
  const [cpus, walls] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    await deployed.restart(settings);
    const { cpu, walls: wall } = await spent(deployed, [ask]);
    cpus.push(cpu);
    walls.push(...wall);
  }
  return { cpu: median(cpus), wall: median(walls) };
}
