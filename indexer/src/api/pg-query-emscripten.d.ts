declare module 'pg-query-emscripten' {
  /** Loads PostgreSQL's parser. */
  export default function load(): Promise<{
    parse(sql: string): { parse_tree: { stmts: unknown[] }; error: { message: string } | null };
  }>;
}
