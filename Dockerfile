FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends make git && rm -rf /var/lib/apt/lists/*
WORKDIR /mixarray
COPY . .
ARG TORCH_INDEX=
RUN make setup TORCH_INDEX="$TORCH_INDEX"
ENV PATH="/mixarray/.venv/bin:$PATH"
ENTRYPOINT ["mixarray"]
CMD ["--help"]
