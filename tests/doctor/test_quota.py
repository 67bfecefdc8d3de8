import pytest

from minidl.doctor.quota import cpu_quota


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),  # not Linux
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        (
            {  # the group above is stricter
                "proc/self/cgroup": "0::/above/own\n",
                "sys/fs/cgroup/above/cpu.max": "100000 100000\n",
                "sys/fs/cgroup/above/own/cpu.max": "400000 100000\n",
            },
            1.0,
        ),
        (
            {  # version 1, seen from inside a container: the named folder is not there
                "proc/self/cgroup": "2:cpu,cpuacct:/docker/1a\n1:memory:/docker/1a\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ({"proc/self/cgroup": "nonsense\n0::/\n", "sys/fs/cgroup/cpu.max": "??"}, None),
    ],
)
def test_quota(tmp_path, files, expected):
    write(tmp_path, files)
    assert cpu_quota(tmp_path) == expected
