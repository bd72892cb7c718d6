export default { files: ["test/integration/**/*.test.ts"], extensions: ["ts"], timeout: "2m", concurrency: 2, nodeArguments: ["--no-warnings"] };
