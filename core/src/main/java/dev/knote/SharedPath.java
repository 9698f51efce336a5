package dev.knote;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.knote.linux.Errno;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * What a call of {@link SharedMemory} was asked for, and the words for what is wrong with it.
 *
 * @param call the method's name, for messages
 * @param path where the file is
 * @param named whether it is a name in /dev/shm
 */
record SharedPath(String call, String path, boolean named) {
    private static final String DIRECTORY = "/dev/shm/";
    private static final int NAME_BYTES = 255;
    /** The most that x86-64 and aarch64 can map. */
    private static final long MAX_BYTES = 1L << 47;
    private static final int MODE_BITS = 0777;
    /** Not a link to a path: the kernel opens the very file that the other process has open. */
    private static final Pattern MAGIC_LINK = Pattern
            .compile("/proc/(self|thread-self|\\d+(/task/\\d+)?)/fd/\\d+");

    /** The file of that name in /dev/shm; EINVAL for what is no name. */
    static SharedPath named(String call, String name) {
        String plain = name.startsWith("/") ? name.substring(1) : name;
        byte[] bytes = plain.getBytes(UTF_8);
        boolean bad = plain.isEmpty() || plain.equals(".") || plain.equals("..")
                || plain.indexOf('/') >= 0 || plain.indexOf('\0') >= 0 || bytes.length > NAME_BYTES
                || !plain.equals(new String(bytes, UTF_8));
        SharedPath path = new SharedPath(call, DIRECTORY + plain, true);
        if (bad) {
            throw path.invalid("name", '"' + name + '"', "a file name of 1 to " + NAME_BYTES
                    + " bytes without '/' (but for one in front) and not \".\" or \"..\"");
        }
        return path;
    }

    /** The file at that path; EINVAL for a path into an archive or the like. */
    static SharedPath at(String call, Path file) {
        SharedPath path = new SharedPath(call, file.toAbsolutePath().toString(), false);
        if (file.getFileSystem() != FileSystems.getDefault()) {
            throw path.invalid("path", file, "a path of the default file system");
        }
        return path;
    }

    /** A file without a name. */
    static SharedPath anonymous(String call) {
        return new SharedPath(call, "memfd", false);
    }

    /** Whether this is the open file of a process, {@code /proc/PID/fd/N}. */
    boolean isMagicLink() {
        return MAGIC_LINK.matcher(path).matches();
    }

    void checkSize(long bytes) {
        if (bytes <= 0 || bytes > MAX_BYTES) {
            throw invalid("bytes", bytes, "1 to " + MAX_BYTES);
        }
    }

    void checkMode(int mode) {
        if ((mode & ~MODE_BITS) != 0) {
            throw invalid("mode", "0" + Integer.toOctalString(mode), "octal 0 to 0777");
        }
    }

    /** The result of a system call that must not fail. */
    int need(String syscall, int result) {
        if (result < 0) {
            throw error(-result, syscall + " failed: " + why(-result));
        }
        return result;
    }

    /** For an argument that is wrong. */
    KeventException invalid(String argument, Object value, String expected) {
        return new KeventException(Errno.EINVAL, "SharedMemory." + call + ": " + argument + " is "
                + value + ", expected " + expected);
    }

    /** For a file that is wrong. */
    KeventException error(int errno, String what) {
        return new KeventException(errno, "SharedMemory." + call + "(" + path + "): " + what);
    }

    private static String why(int errno) {
        return switch (errno) {
            case Errno.EEXIST -> "a file of this name exists";
            case Errno.ENOENT -> "no such file";
            case Errno.ELOOP -> "it is a symbolic link, expected the file itself";
            case Errno.EISDIR -> "it is a directory, expected a regular file";
            case Errno.ENXIO -> "it is a socket or a device, expected a regular file";
            case Errno.EACCES, Errno.EPERM -> "this process may not";
            case Errno.ENOSPC -> "the file system has less room than that";
            case Errno.ENOMEM -> "no memory or address space; see RLIMIT_AS and vm.max_map_count";
            case Errno.EMFILE, Errno.ENFILE -> "too many open files";
            default -> "refused by the kernel";
        };
    }
}
