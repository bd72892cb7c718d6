/** Python's Kubernetes client, unmodified: Debian's package, for the Python that Debian's packages are for. */
import { installPackages } from "../lib/install/packages.ts";
import { exec } from "../lib/util/exec.ts";

/** Not the first one of PATH, which may be another that sees none of the distribution's packages. */
const PYTHON = "/usr/bin/python3";

/** The packages that are missing. */
export async function missingPythonClient(): Promise<string[]> {
  return exec(PYTHON, ["-c", "import kubernetes"]).then(() => [], () => ["python3-kubernetes"]);
}

/** Path of a Python that has the client. */
export async function pythonWithClient(): Promise<string> {
  await installPackages(await missingPythonClient());
  return PYTHON;
}
