// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Script, console2} from "forge-std/Script.sol";
import {DpuToken} from "src-contracts/DpuToken.sol";
import {Market} from "src-contracts/Market.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {MarketCourt} from "src-contracts/court/MarketCourt.sol";
import {MarketExtension} from "src-contracts/extension/MarketExtension.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Rules} from "src-contracts/types/Rules.sol";

/// @notice Deploys the token, the extension and the Market, checks every address and role, and writes where they are.
/// @dev Environment: DPU_NETWORK (`local`, `test` or `main`; decides the windows), DPU_DEPLOYMENT_FILE (default
/// `.dpu/contracts-<chain id>.json`), DPU_DEPLOYER_KEY, DPU_OWNER, DPU_TREASURY, DPU_GUARDIAN (all required outside `local`). A second
/// run is refused while the file names a Market that has code on this chain.
contract Deploy is Script {
    /// @notice Thrown when this network was deployed already.
    error AlreadyDeployed(string file, address market);
    /// @notice Thrown when the deployed contracts are not what they must be. `what` names the first check that failed.
    error CheckFailed(string what);

    /// @dev Account 0 of anvil's public test mnemonic.
    uint256 private constant LOCAL_KEY = 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80;
    address private constant LOCAL_GUARDIAN = 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC;

    struct Roles {
        address deployer;
        address owner;
        address treasury;
        address guardian;
    }

    function run() external {
        string memory file =
            vm.envOr("DPU_DEPLOYMENT_FILE", string.concat(".dpu/contracts-", vm.toString(block.chainid), ".json"));
        bool local = _isLocal();
        uint256 key = local ? vm.envOr("DPU_DEPLOYER_KEY", LOCAL_KEY) : vm.envUint("DPU_DEPLOYER_KEY");
        deploy(file, local, key);
    }

    /// @notice Deploys and writes `file`. Reverts with `AlreadyDeployed` when the file names a Market that is there.
    function deploy(string memory file, bool local, uint256 key) public returns (IMarket market) {
        _requireFirst(file);
        Roles memory roles = _roles(local, vm.addr(key));
        uint256 startBlock = vm.getBlockNumber();

        vm.startBroadcast(key);
        DpuToken token = new DpuToken(roles.owner);
        MarketExtension extension = new MarketExtension(address(token), address(new MarketCourt(address(token))));
        // The deployer owns the Market for the length of this script only, to appoint the guardian.
        market = IMarket(
            address(new Market(address(token), address(extension), roles.deployer, roles.treasury, _params(local)))
        );
        market.setGuardian(roles.guardian, uint40(vm.getBlockTimestamp() + Parameters.GUARDIAN_TERM - 1 hours));
        if (roles.owner != roles.deployer) Market(payable(address(market))).transferOwnership(roles.owner);
        vm.stopBroadcast();

        _check(market, token, extension, roles);
        _write(file, market, token, extension, startBlock);
    }

    /* CHECKS */

    function _requireFirst(string memory file) private view {
        if (!vm.exists(file)) return;
        string memory json = vm.readFile(file);
        if (vm.parseJsonUint(json, ".chainId") != block.chainid) return;
        address market = vm.parseJsonAddress(json, ".market");
        require(market.code.length == 0, AlreadyDeployed(file, market));
    }

    function _check(IMarket market, DpuToken token, MarketExtension extension, Roles memory roles) private view {
        Market m = Market(payable(address(market)));
        require(m.TOKEN() == address(token), CheckFailed("token of the Market"));
        require(m.EXTENSION() == address(extension), CheckFailed("extension of the Market"));
        require(extension.TOKEN() == address(token), CheckFailed("token of the extension"));
        require(m.owner() == roles.deployer, CheckFailed("owner of the Market"));
        require(
            m.pendingOwner() == (roles.owner == roles.deployer ? address(0) : roles.owner),
            CheckFailed("next owner of the Market")
        );
        require(extension.owner() == address(0xdead), CheckFailed("owner of the extension"));
        require(market.treasury() == roles.treasury, CheckFailed("treasury"));
        (address guardian, uint40 until) = market.guardian();
        require(guardian == roles.guardian && until > vm.getBlockTimestamp(), CheckFailed("guardian"));
        (Rules rules,, uint96 minStake, uint32 unbonding,) = market.config();
        require(rules.version() == 1, CheckFailed("parameters"));
        require(minStake == Parameters.MIN_STAKE && unbonding == Parameters.UNBONDING, CheckFailed("stake rules"));
        require(token.balanceOf(roles.owner) == token.INITIAL_SUPPLY(), CheckFailed("supply"));
    }

    /* SETTINGS */

    function _isLocal() private view returns (bool) {
        bytes32 network = keccak256(bytes(vm.envOr("DPU_NETWORK", string("main"))));
        return network == keccak256("local");
    }

    function _roles(bool local, address deployer) private view returns (Roles memory) {
        if (local) return Roles(deployer, deployer, deployer, LOCAL_GUARDIAN);
        return Roles(deployer, vm.envAddress("DPU_OWNER"), vm.envAddress("DPU_TREASURY"), vm.envAddress("DPU_GUARDIAN"));
    }

    /// @dev Local networks run the same code on short windows.
    function _params(bool local) private pure returns (Params memory p) {
        p = Parameters.initial();
        if (!local) return p;
        p.revealWindow = 60 seconds;
        p.auditWindow = 60 seconds;
        p.openFor = 5 seconds;
        p.drawStep = 2 seconds;
        p.drawOpenAfter = 20 seconds;
    }

    function _write(string memory file, IMarket market, DpuToken token, MarketExtension extension, uint256 startBlock)
        private
    {
        string memory key = "deployment";
        vm.serializeUint(key, "chainId", block.chainid);
        vm.serializeAddress(key, "market", address(market));
        vm.serializeAddress(key, "extension", address(extension));
        vm.serializeAddress(key, "token", address(token));
        vm.writeJson(vm.serializeUint(key, "startBlock", startBlock), file);
        console2.log("Market", address(market));
    }
}
