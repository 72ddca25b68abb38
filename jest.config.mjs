/** Projects are the test levels; `npm test -- --selectProjects unit` runs one. */
const common = {
  testEnvironment: 'node',
  // A cluster's folder holds images with package.json files of their own.
  modulePathIgnorePatterns: ['<rootDir>/.cluster/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'cjs', 'json'],
  transform: { '\\.ts$': '<rootDir>/test/support/stripTypes.mjs' },
}

const project = (displayName) => ({
  ...common,
  displayName,
  rootDir: import.meta.dirname,
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
})

export default {
  // Of what says nothing itself. A machine that is busy is slow: time ends what hangs, it decides no test.
  testTimeout: 60_000,
  projects: ['unit', 'render', 'cluster', 'apiserver', 'faults', 'fleet', 'node'].map(project),
}
