"""Why a container does not start, in the kubelet's words. One table.

Source: the errors of the kubelet's packages `images` and `kuberuntime`, which it writes as the reason of a
waiting container.
"""

IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ErrImageNeverPull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
"""Reasons for which the image alone keeps a container from starting."""

CANNOT_START = IMAGE_REASONS | {
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "PostStartHookError",
    "PreCreateHookError",
    "PreStartHookError",
    "RunContainerError",
}
"""Reasons for which a container waits that are an error; the others are those of one that is starting."""

HOPELESS = CANNOT_START - {
    "ErrImagePull",
    "ImageInspectError",
    "PostStartHookError",
    "PreCreateHookError",
    "PreStartHookError",
    "RegistryUnavailable",
}
"""Those that no waiting cures: a pull, the runtime or a hook may do better the next time."""
