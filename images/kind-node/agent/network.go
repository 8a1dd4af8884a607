package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"pullproof.invalid/kind-node/firewall"
)

const (
	networkFile = "/etc/cni/net.d/10-pods.conflist"
	patience    = 15 * time.Second
	// Pods are linked to their node one by one and get a route to nothing else.
	networkConfiguration = `{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "ipam": {
        "type": "host-local",
        "dataDir": "/run/pod-addresses",
        "ranges": [[{"subnet": %q}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`
)

// network gives pods of this node addresses, and routes to those of all other nodes.
//
// It relies on all nodes being neighbours in one network. What leaves the pods' network
// carries the node's address, because nobody outside knows a way back to a pod.
func network(ctx context.Context, client *kubernetes.Clientset, self, podSubnet string) error {
	if err := firewall.Choose(); err != nil {
		return err
	}
	update := func(found any) {
		node, ok := found.(*v1.Node)
		if !ok || node.Spec.PodCIDR == "" {
			return
		}
		var err error
		if node.Name == self {
			err = serve(node.Spec.PodCIDR, podSubnet)
		} else {
			err = reach(node)
		}
		if err != nil {
			log.Printf("node %s: %v", node.Name, err)
		}
	}
	factory := informers.NewSharedInformerFactory(client, resync)
	_, err := factory.Core().V1().Nodes().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    update,
		UpdateFunc: func(_, found any) { update(found) },
		DeleteFunc: forget,
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	return nil
}

// serve configures what the kubelet's runtime asks when a pod of this node starts.
func serve(podCIDR, podSubnet string) error {
	if err := masquerade(podCIDR, podSubnet); err != nil {
		return err
	}
	wanted := fmt.Sprintf(networkConfiguration, podCIDR)
	if found, err := os.ReadFile(networkFile); err == nil && string(found) == wanted {
		return nil
	}
	awaitServices()
	draft := filepath.Join(filepath.Dir(networkFile), ".draft")
	if err := os.WriteFile(draft, []byte(wanted), 0o644); err != nil {
		return err
	}
	log.Printf("pods of this node are in %s", podCIDR)
	return os.Rename(draft, networkFile)
}

// awaitServices holds pods back until services lead somewhere, for a while.
//
// A connection that a pod opens before kube-proxy has made its rules is remembered by the
// kernel as one that needs none, and hangs for half a minute. Where nothing takes kube-proxy's
// place, pods start all the same.
func awaitServices() {
	api := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		connection, err := net.DialTimeout("tcp", api, 200*time.Millisecond)
		if err == nil {
			connection.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	log.Printf("services do not work: nobody answers at %s", api)
}

func masquerade(podCIDR, podSubnet string) error {
	rule := []string{"POSTROUTING", "-s", podCIDR, "!", "-d", podSubnet, "-j", "MASQUERADE"}
	if iptables("-C", rule) == nil {
		return nil
	}
	return iptables("-A", rule)
}

func iptables(action string, rule []string) error {
	arguments := append([]string{"--wait", "-t", "nat", action}, rule...)
	if said, err := exec.Command("iptables", arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("iptables %s: %w: %s", strings.Join(arguments, " "), err, said)
	}
	return nil
}

// reach leads what is meant for pods of another node to that node.
func reach(node *v1.Node) error {
	route, err := routeTo(node)
	if err != nil {
		return err
	}
	return netlink.RouteReplace(route)
}

func forget(found any) {
	if late, ok := found.(cache.DeletedFinalStateUnknown); ok {
		found = late.Obj
	}
	node, ok := found.(*v1.Node)
	if !ok || node.Spec.PodCIDR == "" {
		return
	}
	route, err := routeTo(node)
	if err == nil {
		err = netlink.RouteDel(route)
	}
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		log.Printf("node %s: %v", node.Name, err)
	}
}

func routeTo(node *v1.Node) (*netlink.Route, error) {
	_, pods, err := net.ParseCIDR(node.Spec.PodCIDR)
	if err != nil {
		return nil, err
	}
	for _, address := range node.Status.Addresses {
		if address.Type == v1.NodeInternalIP {
			return &netlink.Route{Dst: pods, Gw: net.ParseIP(address.Address)}, nil
		}
	}
	return nil, errors.New("it has no address yet")
}
