# The course in a container, for its CPU or for an NVIDIA GPU:
#   docker build -t course .                               or  docker build -t course --build-arg COMPUTE=cuda .
#   docker run --rm -it -p 127.0.0.1:8888:8888 -v course-work:/course/work course
# and open the address that it prints, the one with 127.0.0.1. With COMPUTE=cuda add `--gpus all`, which needs NVIDIA's
# container toolkit on the host. The volume holds your notebooks and your progress, and outlives the container.
FROM python:3.12-slim

ARG COMPUTE=cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

# PyTorch first: its layer stays where only the course changes. PyPI's build for Linux brings CUDA along.
RUN case "$COMPUTE" in \
      cpu) pip install "torch>=2.11,<3" --index-url https://download.pytorch.org/whl/cpu ;; \
      cuda) pip install "torch>=2.11,<3" ;; \
      *) echo "COMPUTE: expected cpu or cuda, got '$COMPUTE'" >&2; exit 1 ;; \
    esac

RUN useradd --create-home --uid 1000 learner && mkdir -p /course/work && chown -R learner /course
WORKDIR /course
COPY --chown=learner . .
RUN pip install -c constraints.txt -e ".[lab]"

USER 1000
ENV COURSE_HOME=/course/work/.progress JUPYTER_CONFIG_PATH=/course/.jupyter
VOLUME /course/work
EXPOSE 8888
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8888/api', timeout=3)"]

# The copy is made at each start, because the volume may be empty or of an older course; nothing of yours is overwritten.
CMD ["sh", "-c", "python -c 'import course; print(*course.copy_for_learner(), sep=\"\\n\")' && exec jupyter lab --ip=0.0.0.0 --port=8888 --no-browser --ServerApp.root_dir=/course --LabApp.default_url=/lab/tree/work/00_start_here.ipynb"]
