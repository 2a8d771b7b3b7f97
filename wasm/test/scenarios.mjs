// What is done with the package, in Node or in a page: plain values in, plain values out. `engine` is the package.

const plain = (error) => error && { code: error.code, name: error.name, message: error.message };

export const progressOf = (progress) => ({ ...progress, files: progress.files.map((file) => ({ ...file, error: plain(file.error) })) });

const json = async (opened, url) => (await opened.answer(url)).json();

/** Every row, page after page. */
export async function rows(opened, query = '', fields = 'time,method,path,query,status') {
  const all = [];
  for (let cursor = ''; ; ) {
    const page = await json(opened, `/api/v1/logs?dir=asc&limit=1000&fields=${fields}${query}${cursor && `&cursor=${cursor}`}`);
    all.push(...page.items);
    if (!page.next) return all;
    cursor = page.next;
  }
}

/** Opens files `[{name, blob}]` and reads all that is in them: rows, the last record as a whole, counts. */
export async function everything(engine, files, options = {}) {
  const opened = await engine.open(files.map(({ name, blob }) => new File([blob], name, { lastModified: 1_782_302_400_000 })), options);
  try {
    const progress = progressOf(await opened.ready);
    const all = await rows(opened);
    const { items } = await json(opened, '/api/v1/logs?limit=1&fields=id');
    const last = items.length > 0 ? await json(opened, `/api/v1/logs/${items[0].id}`) : null;
    const exported = await (await opened.answer('/api/v1/export?format=ndjson')).text();
    return {
      progress,
      rows: all,
      last,
      exported: exported.split('\n').length - 1,
      found: (await rows(opened, '&q=status:5xx', 'status')).length,
      cold: (await rows(opened, '&q=req.header.x-number:*1', 'path')).length,
    };
  } finally {
    opened.close();
  }
}
