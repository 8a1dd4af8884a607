package main

import (
	"context"
	"log"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const (
	provisioner   = "pullproof.invalid/folder"
	volumes       = "/var/local/volumes"
	selectedNode  = "volume.kubernetes.io/selected-node"
	wantedFrom    = "volume.kubernetes.io/storage-provisioner"
	provisionedBy = "pv.kubernetes.io/provisioned-by"
)

type maker struct {
	client *kubernetes.Clientset
	node   string
}

// storage makes a folder of this node into a volume for each claim whose pod comes here.
func storage(ctx context.Context, client *kubernetes.Clientset, node string) error {
	m := maker{client, node}
	factory := informers.NewSharedInformerFactory(client, resync)
	handle := func(found any) {
		var err error
		switch object := found.(type) {
		case *v1.PersistentVolumeClaim:
			err = m.claimed(ctx, object)
		case *v1.PersistentVolume:
			err = m.released(ctx, object)
		}
		if err != nil {
			log.Print(err)
		}
	}
	handlers := cache.ResourceEventHandlerFuncs{
		AddFunc:    handle,
		UpdateFunc: func(_, found any) { handle(found) },
	}
	core := factory.Core().V1()
	for _, informer := range []cache.SharedIndexInformer{
		core.PersistentVolumeClaims().Informer(), core.PersistentVolumes().Informer(),
	} {
		if _, err := informer.AddEventHandler(handlers); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	return nil
}

func (m maker) claimed(ctx context.Context, claim *v1.PersistentVolumeClaim) error {
	notes := claim.Annotations
	if notes[wantedFrom] != provisioner || notes[selectedNode] != m.node {
		return nil
	}
	if claim.Status.Phase != v1.ClaimPending || claim.Spec.VolumeName != "" {
		return nil
	}
	volume := m.volume(claim)
	path := volume.Spec.Local.Path
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	// Whoever the pod runs as may write, whatever the mask of this process.
	if err := os.Chmod(path, 0o777); err != nil {
		return err
	}
	_, err := m.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	log.Printf("claim %s/%s: %s", claim.Namespace, claim.Name, path)
	return err
}

func (m maker) volume(claim *v1.PersistentVolumeClaim) *v1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{provisionedBy: provisioner, selectedNode: m.node},
		},
		Spec: v1.PersistentVolumeSpec{
			Capacity: v1.ResourceList{
				v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage],
			},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeReclaimPolicy: v1.PersistentVolumeReclaimDelete,
			ClaimRef: &v1.ObjectReference{
				APIVersion: "v1",
				Kind:       "PersistentVolumeClaim",
				Namespace:  claim.Namespace,
				Name:       claim.Name,
				UID:        claim.UID,
			},
			PersistentVolumeSource: v1.PersistentVolumeSource{
				Local: &v1.LocalVolumeSource{Path: filepath.Join(volumes, name)},
			},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{
				NodeSelectorTerms: []v1.NodeSelectorTerm{{
					MatchExpressions: []v1.NodeSelectorRequirement{{
						Key:      v1.LabelHostname,
						Operator: v1.NodeSelectorOpIn,
						Values:   []string{m.node},
					}},
				}},
			}},
		},
	}
}

func (m maker) released(ctx context.Context, volume *v1.PersistentVolume) error {
	notes := volume.Annotations
	if notes[provisionedBy] != provisioner || notes[selectedNode] != m.node {
		return nil
	}
	if volume.Status.Phase != v1.VolumeReleased || volume.Spec.Local == nil {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(volumes, volume.Name)); err != nil {
		return err
	}
	err := m.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	log.Printf("volume %s is gone", volume.Name)
	return err
}
