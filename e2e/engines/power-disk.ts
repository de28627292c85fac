/**
 * A disk whose power can be cut: an ext4 file system in an image, on a loop device.
 *
 * `cut` shuts the file system down without writing its journal (EXT4_IOC_SHUTDOWN,
 * NOLOGFLUSH): what was not flushed by then never reaches the image, as when the power
 * goes. Mounting it again replays the journal, as a machine does that starts again. What
 * this disk has not: a cache of its own that lies about flushes.
 *
 * Needs Linux, root, loop devices, and `mkfs.ext4`, `mount` and `python3` (Node has no ioctl).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a line, then cuts: at the moment asked for nothing has to be started any more. */
const CUT = `
import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
sys.stdin.readline()
fcntl.ioctl(disk, 0x8004587D, struct.pack('I', 2))
`;
const TOOLS = ['mkfs.ext4', 'mount', 'umount', 'python3', 'cp'];
const UNMOUNT_RETRIES = 100;

export class PowerDisk {
  readonly #folder: string;
  /** Where its files are while it is mounted. */
  readonly path: string;
  readonly #image: string;
  #mounted = false;
  #knife: ChildProcess | undefined;

  /** Why there can be no such disk here; `undefined` where there can. */
  static missing(): string | undefined {
    if (process.platform !== 'linux') return 'this is not Linux';
    if (process.getuid?.() !== 0) return 'this does not run as root';
    if (!existsSync('/dev/loop-control')) return 'there are no loop devices';
    const absent = TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
    if (absent.length > 0) return `${absent.join(', ')} cannot be found`;
    const trial = new PowerDisk('trial');
    try {
      // A container may have the devices and not be allowed to use them.
      trial.make(4);
      return undefined;
    } catch (error) {
      return String(error);
    } finally {
      spawnSync('umount', [trial.path]);
      rmSync(trial.#folder, { recursive: true, force: true });
    }
  }

  /** `name` tells its folder from those of other disks. */
  constructor(name: string) {
    this.#folder = join(tmpdir(), `rootcellar-disk-${process.pid}-${name}`);
    this.path = join(this.#folder, 'mounted');
    this.#image = join(this.#folder, 'image');
  }

  /** Makes the file system, with nothing in it, and mounts it. */
  make(megabytes: number): void {
    mkdirSync(this.path, { recursive: true });
    const image = openSync(this.#image, 'w');
    ftruncateSync(image, megabytes * 2 ** 20);
    closeSync(image);
    run('mkfs.ext4', '-q', '-F', '-m', '0', this.#image);
    this.mount();
  }

  mount(): void {
    run('mount', '-o', 'loop', this.#image, this.path);
    this.#mounted = true;
  }

  /** Resolves when nobody uses its files any more. */
  async unmount(): Promise<void> {
    this.#knife?.kill();
    this.#knife = undefined;
    for (let left = UNMOUNT_RETRIES; this.#mounted; left--) {
      const { status, stderr } = spawnSync('umount', [this.path], { encoding: 'utf8' });
      if (status === 0) this.#mounted = false;
      else if (left === 0) throw new Error(`the disk cannot be unmounted: ${stderr}`);
      else await delay(50);
    }
  }

  /** Makes ready to cut. REQUIRES: it is mounted. */
  async arm(): Promise<void> {
    const knife = spawn('python3', ['-c', CUT, this.path], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#knife = knife;
    await Promise.race([
      once(knife.stdout!, 'data'),
      once(knife, 'exit').then(() => {
        throw new Error('the power cannot be cut here');
      }),
    ]);
  }

  /** Cuts the power. What is asked of the disk from now on fails. REQUIRES: armed. */
  async cut(): Promise<void> {
    const knife = this.#knife!;
    this.#knife = undefined;
    const gone = once(knife, 'exit');
    knife.stdin!.end('\n');
    const [code] = await gone;
    if (code !== 0) throw new Error('the power was not cut');
  }

  /** What is in it now, unmounted, as it can be put back with `restore`. */
  save(): void {
    run('cp', '--sparse=always', this.#image, `${this.#image}.saved`);
  }

  /** REQUIRES: saved, not mounted. */
  restore(): void {
    run('cp', '--sparse=always', `${this.#image}.saved`, this.#image);
  }

  async remove(): Promise<void> {
    await this.unmount();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
