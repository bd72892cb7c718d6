export { Wakeup } from "../util/wakeup.ts";
