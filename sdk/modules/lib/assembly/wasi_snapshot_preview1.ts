// The host's functions. AssemblyScript names the imported module after this file.

export declare function args_sizes_get(count: usize, bytes: usize): i32;
export declare function args_get(pointers: usize, bytes: usize): i32;
export declare function path_open(
  directory: i32,
  lookup: i32,
  path: usize,
  length: usize,
  open: i32,
  rights: i64,
  inherited: i64,
  descriptor: i32,
  result: usize,
): i32;
export declare function fd_filestat_get(file: i32, stat: usize): i32;
export declare function fd_read(file: i32, vectors: usize, count: usize, read: usize): i32;
export declare function fd_write(file: i32, vectors: usize, count: usize, written: usize): i32;
export declare function fd_close(file: i32): i32;
export declare function proc_exit(code: i32): void;
export declare function random_get(at: usize, length: usize): i32;
