package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const socket = "unix:///run/containerd/containerd.sock"

// images answers what kind asks of `crictl`: a list for people, or one image as JSON.
func images(ctx context.Context, arguments []string) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	connection, err := grpc.NewClient(socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	service := runtime.NewImageServiceClient(connection)
	switch {
	case len(arguments) == 1 && arguments[0] == "images":
		return list(ctx, service)
	case len(arguments) == 2 && arguments[0] == "inspecti":
		return inspect(ctx, service, arguments[1])
	}
	return fmt.Errorf("this crictl knows `images` and `inspecti IMAGE` only")
}

func list(ctx context.Context, service runtime.ImageServiceClient) error {
	found, err := service.ListImages(ctx, &runtime.ListImagesRequest{})
	if err != nil {
		return err
	}
	for _, image := range found.Images {
		fmt.Println(image.Id, image.Size, strings.Join(image.RepoTags, " "))
	}
	return nil
}

func inspect(ctx context.Context, service runtime.ImageServiceClient, name string) error {
	wanted := &runtime.ImageSpec{Image: name}
	found, err := service.ImageStatus(ctx, &runtime.ImageStatusRequest{Image: wanted})
	if err != nil {
		return err
	}
	if found.Image == nil {
		return fmt.Errorf("no such image %q", name)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"status": map[string]any{
		"id":          found.Image.Id,
		"repoTags":    found.Image.RepoTags,
		"repoDigests": found.Image.RepoDigests,
	}})
}
