USER = 65532  # the user of our images
SECURE = k8s.V1SeccompProfile(type="RuntimeDefault")
WRITABLE = k8s.V1SecurityContext(
    allow_privilege_escalation=False,
    capabilities=k8s.V1Capabilities(drop=["ALL"]),
    run_as_non_root=True,
    run_as_user=USER,
    seccomp_profile=SECURE,
)
LOCKED = k8s.V1SecurityContext(
    allow_privilege_escalation=False,
    capabilities=k8s.V1Capabilities(drop=["ALL"]),
    read_only_root_filesystem=True,
    run_as_non_root=True,
    run_as_user=USER,
    seccomp_profile=SECURE,
)
PROGRAM = k8s.V1Volume(name="mlp", empty_dir=k8s.V1EmptyDirVolumeSource())
PROGRAM_MOUNT = k8s.V1VolumeMount(name="mlp", mount_path="/mlp")
SCRATCH_MOUNT = k8s.V1VolumeMount(name="tmp", mount_path="/tmp")
BRING = k8s.V1Container(
    name="mlp",
    image=RUNTIME,
    command=["cp", "/usr/local/bin/mlp", "/mlp/mlp"],
    volume_mounts=[PROGRAM_MOUNT],
    security_context=LOCKED,
    resources=k8s.V1ResourceRequirements(requests={"cpu": "10m", "memory": "32Mi"}, limits={"memory": "128Mi"}),
)
