/** `npm run vm -- up N | ssh N [COMMAND] | off N | on N | down`: test machines by hand. As root. */
import { spawn } from "node:child_process";
import { ensureImage } from "./image.ts";
import { bringUp, calibrate, machine, machines, NAMESPACE, powerOff, powerOn, sshArguments, takeDown, waitForBoot } from "./machines.ts";

const print = (text: string): void => { process.stdout.write(`${text}\n`); };

async function main([verb = "", first, ...rest]: readonly string[]): Promise<number> {
  const number = Number(first ?? 1);
  switch (verb) {
    case "up": {
      const { image, machines: all } = await bringUp(Number(first ?? 3));
      for (const vm of all) print(`${vm.name} ${vm.address}`);
      print(`calibration: ${(await calibrate(all[0]!, image)).toFixed(1)} times slower than this machine`);
      print(`SSH key: ${image.sshKey}; their network: nsenter --net=/run/netns/${NAMESPACE} COMMAND`);
      return 0;
    }
    case "on": { const image = await ensureImage(); await powerOn(machine(number), image); await waitForBoot(machine(number), image); return 0; }
    case "off": await powerOff(machine(number)); return 0;
    case "ssh": {
      const child = spawn("nsenter", [`--net=/run/netns/${NAMESPACE}`, "--", "ssh", ...sshArguments(machine(number), await ensureImage()), ...rest], { stdio: "inherit" });
      return new Promise((resolve) => { child.once("exit", (code) => resolve(code ?? 255)); });
    }
    case "list": for (const vm of machines()) print(`${vm.name} ${vm.address}`); return 0;
    case "down": await takeDown(); return 0;
    default: print("Usage: npm run vm -- up N | list | ssh N [COMMAND] | off N | on N | down"); return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
