// The time without a test's end after which a suite counts as hung. Machines are up to 45 times slower than this one; the longest test (an upgrade, host after host) then takes more than 40 minutes.
export default { files: ["test/vm/**/*.test.ts"], extensions: ["ts"], timeout: "90m", concurrency: 1, serial: true, nodeArguments: ["--no-warnings"] };
