// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Test} from "forge-std/Test.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {IDpu} from "test/contracts/lib/IDpu.sol";

interface IDeploy {
    error AlreadyDeployed(string file, address market);

    function deploy(string calldata file, bool local, uint256 key) external returns (IMarket);
}

/// @dev The deployment script, run twice as an operator would: the first leaves what it promises, the second refuses.
contract DeployTest is Test {
    uint256 private constant KEY = 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80;

    IDeploy private script;
    string private file;
    address private deployer = vm.addr(KEY);

    function setUp() public {
        vm.warp(1_800_000_000);
        script = IDeploy(vm.deployCode("Deploy.s.sol:Deploy"));
        vm.createDir(".dpu", true);
    }

    /// @dev Each test writes a file of its own, because tests run side by side.
    function _file(string memory name) private {
        file = string.concat(".dpu/test-deploy-", name, ".json");
        if (vm.exists(file)) vm.removeFile(file);
    }

    function test_Deploy_OfALocalNetworkUsesShortWindows() external {
        _file("local");
        IMarket market = script.deploy(file, true, KEY);
        assertEq(market.params(1).revealWindow, 60);
        assertEq(market.params(1).auditWindow, 60);
        assertEq(market.params(1).openFor, 5);
        assertEq(market.params(1).drawStep, 2);
        assertEq(market.params(1).drawOpenAfter, 20);
        assertEq(market.params(1).feeBps, 300);
        assertEq(Ownable2Step(address(market)).owner(), deployer);
        assertEq(Ownable2Step(address(market)).pendingOwner(), address(0));
        vm.removeFile(file);
    }

    function test_Deploy_ElsewhereGivesTheMarketToItsOwner() external {
        _file("main");
        vm.setEnv("DPU_OWNER", vm.toString(address(0xA1)));
        vm.setEnv("DPU_TREASURY", vm.toString(address(0xA2)));
        vm.setEnv("DPU_GUARDIAN", vm.toString(address(0xA3)));
        IMarket market = script.deploy(file, false, KEY);

        assertEq(market.params(1).revealWindow, 10 minutes);
        assertEq(Ownable2Step(address(market)).pendingOwner(), address(0xA1));
        vm.prank(address(0xA1));
        Ownable2Step(address(market)).acceptOwnership();
        assertEq(market.treasury(), address(0xA2));
        (address guardian, uint40 until) = market.guardian();
        assertEq(guardian, address(0xA3));
        assertEq(until, block.timestamp + 365 days - 1 hours);
        vm.removeFile(file);
    }

    function test_Deploy_WritesWhereEverythingIs() external {
        _file("written");
        IMarket market = script.deploy(file, true, KEY);
        string memory json = vm.readFile(file);
        assertEq(vm.parseJsonUint(json, ".chainId"), block.chainid);
        assertEq(vm.parseJsonAddress(json, ".market"), address(market));
        assertEq(vm.parseJsonUint(json, ".startBlock"), block.number);
        address token = vm.parseJsonAddress(json, ".token");
        assertEq(IDpu(token).balanceOf(deployer), 1_000_000_000e18);
        assertGt(vm.parseJsonAddress(json, ".extension").code.length, 0);
        vm.removeFile(file);
    }

    function test_RevertWhen_Deploy_IsRunTwice() external {
        _file("twice");
        IMarket market = script.deploy(file, true, KEY);
        vm.expectRevert(abi.encodeWithSelector(IDeploy.AlreadyDeployed.selector, file, address(market)));
        script.deploy(file, true, KEY);
        vm.removeFile(file);
    }

    /// @dev A fresh chain with an old file, and a file of another chain, are no reason to refuse.
    function test_Deploy_AgainWhenTheOldMarketIsGone() external {
        _file("gone");
        IMarket market = script.deploy(file, true, KEY);
        vm.etch(address(market), "");
        vm.chainId(77);
        script.deploy(file, true, KEY);
        assertEq(vm.parseJsonUint(vm.readFile(file), ".chainId"), 77);
        vm.removeFile(file);
    }
}
