// What every node runs beside the kubelet: the network of its pods, and the maker of volumes.
// Called as crictl it answers what kind asks about images.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// What was undone behind our back, or failed, is done again after this time.
const resync = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	work := run
	if filepath.Base(os.Args[0]) == "crictl" {
		work = images
	}
	if err := work(ctx, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("say what to do: network or storage")
	}
	client, err := connect()
	if err != nil {
		return err
	}
	node := os.Getenv("NODE_NAME")
	switch arguments[0] {
	case "network":
		return network(ctx, client, node, os.Getenv("POD_SUBNET"))
	case "storage":
		return storage(ctx, client, node)
	}
	return fmt.Errorf("%s: neither network nor storage", arguments[0])
}

// connect talks to the control plane by the name that kind gives, where it gives one: the
// cluster's own address of it works only once kube-proxy does.
func connect() (*kubernetes.Clientset, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	return kubernetes.NewForConfig(config)
}
