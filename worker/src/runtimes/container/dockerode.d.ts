/** The part of dockerode that is used here; the package brings no types. */
declare module 'dockerode' {
  import type { Duplex } from 'node:stream';

  export interface ContainerState {
    readonly State: { readonly ExitCode: number; readonly OOMKilled?: boolean };
  }
  export interface ContainerHandle {
    readonly id: string;
    attach(options: object): Promise<Duplex>;
    start(options?: object): Promise<void>;
    wait(options?: object): Promise<{ readonly StatusCode: number }>;
    inspect(options?: object): Promise<ContainerState>;
    kill(options?: object): Promise<void>;
    remove(options?: object): Promise<void>;
  }
  export interface ImageFacts {
    readonly Id: string;
    readonly Os: string;
    readonly Architecture: string;
    readonly Config?: {
      readonly Volumes?: object | null;
      readonly Healthcheck?: { readonly Test?: readonly string[] } | null;
    } | null;
  }
  export interface ImageHandle {
    inspect(options?: object): Promise<ImageFacts>;
    remove(options?: object): Promise<unknown>;
  }
  export interface EngineInfo {
    readonly Name?: string;
    readonly ServerVersion?: string;
    readonly OperatingSystem?: string;
  }
  export default class Docker {
    constructor(options: { readonly socketPath: string; readonly timeout?: number });
    info(): Promise<EngineInfo>;
    createContainer(options: object): Promise<ContainerHandle>;
    getContainer(id: string): ContainerHandle;
    listContainers(
      options: object,
    ): Promise<readonly { readonly Id: string; readonly Labels: Record<string, string> }[]>;
    getImage(id: string): ImageHandle;
    loadImage(file: Buffer | NodeJS.ReadableStream, options?: object): Promise<NodeJS.ReadableStream>;
  }
}
