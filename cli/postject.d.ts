/** What of the package postject is used; it brings no types. */
declare module 'postject' {
  interface Options {
    readonly sentinelFuse: string
    readonly machoSegmentName?: string
  }
  const postject: { inject(file: string, name: string, data: Buffer, options: Options): Promise<void> }
  export default postject
}
