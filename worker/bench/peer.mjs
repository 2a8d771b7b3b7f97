// What reqlog is compared with: a row a record in D1 with three indexes, the questions as SQL, the answers as JSON.

const SCHEMA = [
  `CREATE TABLE records (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, level TEXT NOT NULL, service TEXT NOT NULL,
     method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL, duration REAL NOT NULL, message TEXT NOT NULL,
     record TEXT NOT NULL) STRICT`,
  'CREATE INDEX by_time ON records (time)',
  'CREATE INDEX by_status ON records (status, time)',
  'CREATE INDEX by_service ON records (service, time)',
];
const INSERT = `INSERT INTO records (time, level, service, method, path, status, duration, message, record)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`;
const LIST = (where) => `SELECT record FROM records WHERE ${where} ORDER BY time DESC, id DESC LIMIT 50`;
const TOTALS = ['level', 'status / 100', 'method', 'service'];

function values({ time, level, service, method, path, status, duration_ms, message }, line) {
  return [Date.parse(time), level, service, method, path, status, duration_ms, message, line];
}

const questions = {
  newest: (db) => [db.prepare(LIST('true'))],
  status: (db) => [db.prepare(LIST('status BETWEEN 500 AND 599'))],
  errors: (db, { service }) => [db.prepare(LIST(`service = ?1 AND level = 'error'`)).bind(service)],
  text: (db, { word }) => [db.prepare(LIST('message LIKE ?1')).bind(`%${word}%`)],
  // keyset paging, as it should be done
  deep: (db, { time, id }) => [db.prepare(LIST('(time, id) < (?1, ?2)')).bind(Number(time), Number(id))],
  stats: (db) => TOTALS.map((of) => db.prepare(`SELECT ${of} AS value, count(*) AS count FROM records GROUP BY 1`)),
};

const answer = (body, results) => {
  const read = results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
  const written = results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
  return new Response(body, { headers: { 'content-type': 'application/json', 'x-rows': `${read} ${written}` } });
};

export default {
  async fetch(request, { DB }) {
    const url = new URL(request.url);
    const name = url.pathname.slice(1);
    switch (name) {
      case 'create':
        return answer('{}', await DB.batch(SCHEMA.map((sql) => DB.prepare(sql))));
      case 'floor':
        return answer('{}', [await DB.prepare('SELECT 1').all()]);
      case 'fill': {
        const lines = (await request.text()).split('\n');
        const insert = DB.prepare(INSERT);
        return answer('{}', await DB.batch(lines.map((line) => insert.bind(...values(JSON.parse(line), line)))));
      }
      case 'position': {
        const nth = await DB.prepare('SELECT time, id FROM records ORDER BY time DESC, id DESC LIMIT 1 OFFSET ?1')
          .bind(Number(url.searchParams.get('offset')))
          .all();
        return answer(JSON.stringify(nth.results[0]), [nth]);
      }
      default: {
        const results = await DB.batch(questions[name](DB, Object.fromEntries(url.searchParams)));
        if (name === 'stats') return answer(JSON.stringify(results.map((result) => result.results)), results);
        return answer(`{"items":[${results[0].results.map(({ record }) => record).join()}]}`, results);
      }
    }
  },
};
